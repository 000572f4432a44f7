"""Objects of many events, which of them have slots, and what is particular to leptons."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.branch_map import Collection, Leptons, Mass
from rootflow.ntuple.columns import Offsets, Rows, Values
from rootflow.ntuple.conditions import OBJECTS, Condition, all_columns
from rootflow.ntuple.expressions import Lookup
from rootflow.ntuple.units import BranchColumn, FlavourColumn
from rootflow.physics.kinematics import delta_r, four_momentum, invariant_mass

Scalar = TypeVar("Scalar", bound=np.generic)
Places = NDArray[np.int64]
NONE = -1


class Objects(NamedTuple):
    """Jets, leptons or others of n events as one table, event by event.

    The rows of event i are those from `offsets[i]` to before `offsets[i + 1]`; `columns` are
    (objects,) by name. `passes` (objects,) says which of them count by the branch map, None: all.
    """

    offsets: Offsets
    columns: Mapping[str, Values]
    passes: NDArray[np.bool_] | None = None

    @property
    def n_objects(self) -> int:
        """How many there are of all events."""
        return int(self.offsets[-1])

    def counts(self) -> Places:
        """Return (n,) how many objects each event has."""
        return np.diff(self.offsets)

    def event(self) -> Places:
        """Return (objects,) the event of each."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.counts())

    def rows(self, places: Places, names: Sequence[str]) -> Values:
        """Return (..., names) of the objects at these places, zeros where there is none."""
        # The first row is that of none: a table by rows gives what is near each other at once.
        table = np.zeros((self.n_objects + 1, len(names)), dtype=np.float32)
        for column, name in enumerate(names):
            table[1:, column] = self.columns[name]
        return table.take(places - NONE, axis=0, mode="clip")


class Chosen(NamedTuple):
    """Objects of a table that count, event by event and falling in pT.

    `places` (k,) say where they are in the table, None: they are all of it in its order. Those of
    event i are from `offsets[i]` to before `offsets[i + 1]`.
    """

    table: Objects
    places: Places | None
    offsets: Offsets

    def counts(self) -> Places:
        """Return (n,) how many objects each event has."""
        return np.diff(self.offsets)

    def event(self) -> Places:
        """Return (k,) the event of each."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.counts())

    def column(self, name: str) -> Values:
        """Return (k,) one of the features."""
        values = self.table.columns[name]
        return values if self.places is None else values[self.places]

    def slots(self, count: int, events: Places | None = None) -> Places:
        """Return (n, count) where in the table the first objects of events are, NONE of none."""
        found = slots(self.offsets, count, events)
        return found if self.places is None else np.append(self.places, NONE)[found]


def slots(offsets: Offsets, count: int, events: Places | None = None) -> Places:
    """Return (n, count) the places of the first objects of all or some events, NONE of none."""
    first, after = offsets[:-1], offsets[1:]
    if events is not None:
        first, after = first[events], after[events]
    found = first[:, np.newaxis] + np.arange(count)
    return places_where(found < after[:, np.newaxis], found)


def places_where(there: NDArray[np.bool_], places: Places) -> Places:
    """Return the places, which are written over, and NONE where nothing is there."""
    # Multiplied, which takes a fraction of the time of a choice.
    places -= NONE
    places *= there
    places += NONE
    return places


def chosen_in_pt_order(objects: Objects, pt_min: float, abs_eta_max: float) -> Chosen:
    """Return the objects that count and pass the cuts.

    Objects of equal pT stay in the order of the ntuple.
    """
    pt, eta = objects.columns["pt"], objects.columns["eta"]
    passes = (pt >= pt_min) & (np.abs(eta) <= abs_eta_max)
    if objects.passes is not None:
        passes &= objects.passes
    chosen = Chosen(objects, None, objects.offsets)
    if not passes.all():
        before = np.append(0, np.cumsum(passes))
        chosen = Chosen(objects, np.flatnonzero(passes), before[objects.offsets])
    return _in_pt_order(chosen)


def _in_pt_order(chosen: Chosen) -> Chosen:
    pt, offsets = chosen.column("pt"), chosen.offsets
    rises = np.zeros(len(pt) + 1, dtype=np.bool_)
    np.greater(pt[1:], pt[:-1], out=rises[1 : len(pt)])
    rises[offsets] = False  # there another event begins
    if not rises.any():
        return chosen
    wrong = np.zeros(len(offsets) - 1, dtype=np.bool_)
    wrong[np.searchsorted(offsets, np.flatnonzero(rises), side="right") - 1] = True
    counts = chosen.counts()
    index = np.flatnonzero(np.repeat(wrong, counts))
    event = np.repeat(np.flatnonzero(wrong), counts[wrong])
    # The bits of positive floats are ordered as the floats are: one key for both.
    key = (event.astype(np.uint64) << np.uint64(32)) | ~pt[index].view(np.uint32)
    places = np.arange(len(pt)) if chosen.places is None else chosen.places
    places[index] = places[index[np.argsort(key, kind="stable")]]
    return chosen._replace(places=places)


def joined(parts: Sequence[Objects]) -> Objects:
    """Return the objects of several blocks of the same events as one table.

    Those of an event are in the order of the blocks.
    """
    if len(parts) == 1:
        return parts[0]
    offsets = reduce(np.add, [part.offsets for part in parts])
    begins = offsets[:-1]
    places = []
    for part in parts:
        counts = part.counts()
        places.append(np.arange(part.n_objects) + np.repeat(begins - part.offsets[:-1], counts))
        begins = begins + counts

    def merged(of_parts: Sequence[NDArray[Scalar]]) -> NDArray[Scalar]:
        whole = np.empty(offsets[-1], dtype=of_parts[0].dtype)
        for place, of_part in zip(places, of_parts, strict=True):
            whole[place] = of_part
        return whole

    passes = [
        np.ones(part.n_objects, dtype=np.bool_) if part.passes is None else part.passes
        for part in parts
    ]
    return Objects(
        offsets,
        {name: merged([part.columns[name] for part in parts]) for name in parts[0].columns},
        merged(passes) if any(part.passes is not None for part in parts) else None,
    )


def that_count(rows: Rows, block: Collection, offsets: Offsets) -> NDArray[np.bool_] | None:
    """Return (objects,) where the condition of a block, whose lists have these offsets, is true.

    None where it has none.
    """
    if block.where is None:
        return None
    columns = block.where.columns(all_columns(block))

    def values(name: str) -> NDArray[Any]:
        raw = rows.objects(columns[name], offsets)
        # Masks need all their bits, which 32-bit floats do not have.
        plain = columns[name].unit == "none"
        return raw if plain else rows.converted(columns[name], raw, offsets)

    event = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    lookup = Lookup(values, {OBJECTS: event}, len(offsets) - 1, rows.wrong_at)
    return block.where.of_objects(all_columns(block)).evaluate(lookup)


def without_overlaps(
    parts: Mapping[str, Sequence[Objects]], blocks: Mapping[str, Sequence[Collection]]
) -> dict[str, list[Objects]]:
    """Return the objects of all blocks, those too near to others that count marked."""
    return {
        name: [
            _apart(part, block.apart_from, parts)
            for part, block in zip(of_name, blocks[name], strict=True)
        ]
        for name, of_name in parts.items()
    }


def _apart(
    objects: Objects, distances: Mapping[str, float], parts: Mapping[str, Sequence[Objects]]
) -> Objects:
    if not distances:
        return objects
    passes = np.ones(objects.n_objects, dtype=np.bool_)
    event = objects.event()
    for name, distance in distances.items():
        for others in parts[name]:
            first, counts = others.offsets[:-1][event], others.counts()[event]
            for place in range(int(counts.max(initial=0))):
                own = np.flatnonzero(counts > place)
                other = first[own] + place
                angles = (
                    each.columns[angle][at]
                    for each, at in ((objects, own), (others, other))
                    for angle in ("eta", "phi")
                )
                near = delta_r(*angles) < distance
                if others.passes is not None:
                    near &= others.passes[other]
                passes[own[near]] = False
    if objects.passes is not None:
        passes &= objects.passes
    return objects._replace(passes=passes)


def events_that_count(rows: Rows, where: Condition | None) -> NDArray[np.bool_] | None:
    """Return (n,) where the condition of a map is true, None where it has none."""
    if where is None:
        return None
    columns = where.columns()
    n_events = len(rows.identity.number)
    lookup = Lookup(lambda name: rows.scalar(columns[name]), {}, n_events, rows.wrong_at)
    return where.of_event().evaluate(lookup)


def singular(collection: str) -> str:
    """Return what one object of a collection is called in names of arrays and columns."""
    return collection.removesuffix("s")


def mask_name(collection: str) -> str:
    """Return the name of the array that says which slots of a collection are filled."""
    return f"{singular(collection)}_mask"


ELECTRON, MUON, TAU = 11, 13, 15
NAMES = {ELECTRON: "electron", MUON: "muon", TAU: "tau"}
# S. Navas et al. (Particle Data Group), Phys. Rev. D 110, 030001 (2024).
MASSES_GEV = {ELECTRON: 0.000510999, MUON: 0.105658, TAU: 1.77693}

# How far m^2 may be off: relative, and relative to the square of the energy, from which
# the rounding of energies and angles to four digits comes. A wrong column is further off.
TOLERANCE = 0.02
TOLERANCE_OF_ENERGY = 5e-3
# In GeV^2, for pairs of nearly no mass.
SMALLEST_TOLERANCE = 1.0


def signed_flavours(
    rows: Rows, leptons: Leptons, values: Mapping[str, Values], offsets: Offsets
) -> Values:
    """Return (leptons,) the code of each lepton, negative for positive charge.

    `values` has under "pdg_id" and "charge" what the map names of them, in lists of these offsets.
    """
    if isinstance(leptons.pdg_id, FlavourColumn):
        flavour = _flavours(rows, leptons.pdg_id, values["pdg_id"], offsets)
    else:
        flavour = np.full(offsets[-1], leptons.pdg_id, dtype=np.float32)
    if leptons.charge is None:
        return flavour
    charge = values["charge"]
    what = "is {:g}, a lepton's charge is 1 or -1"
    rows.refuse_where(np.abs(charge) != 1, leptons.charge, what, charge, offsets=offsets)
    return np.copysign(flavour, -charge)


def _flavours(rows: Rows, column: FlavourColumn, values: Values, offsets: Offsets) -> Values:
    """Return (leptons,) the PDG's codes of what a branch says, with its signs where it has some."""
    codes: Mapping[int, int] = column.codes or {
        sign * code: sign * code for code in NAMES for sign in (1, -1)
    }
    flavours = np.zeros_like(values)
    for said, code in codes.items():
        flavours[values == said] = code
    known = ", ".join(f"{NAMES[code]} ({said})" for said, code in codes.items() if code in NAMES)
    what = f"is {{:g}}, which is no {' or '.join(known.rsplit(', ', 1))}"
    rows.refuse_where(flavours == 0, column, what, values, offsets=offsets)
    return flavours


def energies_of_flavours(values: Mapping[str, Values]) -> Values:
    """Return (objects,) energies in GeV, sqrt(p^2 + m^2), from pt, eta and the code of leptons.

    What is no lepton has no mass.
    """
    momentum = values["pt"].astype(np.float64) * np.cosh(values["eta"].astype(np.float64))
    mass = np.zeros(len(momentum))
    for flavour, of_flavour in MASSES_GEV.items() if "pdg_id" in values else ():
        mass[np.abs(values["pdg_id"]) == flavour] = of_flavour
    return np.hypot(momentum, mass).astype(np.float32)


def require_masses(
    rows: Rows, masses: Mapping[Mass, BranchColumn], slots: Sequence[Objects]
) -> None:
    """Refuse masses that are not those of the leptons in the rows's own order, beyond rounding.

    Each slot has one lepton of each event.
    """
    if not masses:
        return
    momenta = [
        four_momentum(*(slot.columns[name] for name in ("pt", "eta", "phi", "energy")))
        for slot in slots
    ]
    for name, column in masses.items():
        places = range(4) if name == "m4l" else [int(slot) - 1 for slot in name[-2:]]
        system = np.sum([momenta[place] for place in places], axis=0)
        expected = system[:, 3] ** 2 - np.sum(system[:, :3] ** 2, axis=1)
        found = rows.converted(column, rows.scalar(column)).astype(np.float64)
        allowed = (
            TOLERANCE * expected + TOLERANCE_OF_ENERGY * system[:, 3] ** 2 + SMALLEST_TOLERANCE
        )
        # Where rounding makes m^2 negative, tables have either zero or -sqrt(-m^2).
        wrong = np.abs(found * np.abs(found) - expected) > allowed
        if wrong.any():
            where = int(np.argmax(wrong))
            raise rows.wrong(
                column,
                f"is {found[where]:.6g} GeV when read as {column.unit}, but the leptons have "
                f"{name} = {invariant_mass(system[where]):.6g} GeV ({int(wrong.sum())} of "
                f"{len(wrong)} events differ): are the columns and units in the branch map right?",
                where,
            )
