"""Objects of many events, which of them have slots, and what is particular to leptons."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.branch_map import Collection, Leptons, Mass
from rootflow.ntuple.columns import Rows
from rootflow.ntuple.conditions import OBJECTS, Condition, all_columns
from rootflow.ntuple.expressions import Lookup
from rootflow.ntuple.units import BranchColumn, FlavourColumn
from rootflow.physics.kinematics import delta_r, four_momentum, invariant_mass

Places = NDArray[np.int64]
NONE = -1


class Objects(NamedTuple):
    """Jets, leptons or others of n events as one table, those of events without objects too.

    `event` (objects,) is 0 to n - 1, `features` (objects, features) float32. `passes` (objects,)
    says which of them count by the branch map, None: all.
    """

    event: Places
    features: NDArray[np.float32]
    n_events: int
    names: tuple[str, ...]
    passes: NDArray[np.bool_] | None = None

    def column(self, name: str) -> NDArray[np.float32]:
        """Return (objects,) one of the features."""
        return self.features[:, self.names.index(name)]

    def counts(self) -> Places:
        """Return (n,) how many objects each event has."""
        return np.bincount(self.event, minlength=self.n_events)

    def first(self) -> Places:
        """Return (n,) where the objects of each event begin; they must be event by event."""
        counts = self.counts()
        return np.cumsum(counts) - counts

    def take(self, index: Places) -> "Objects":
        """Return some of the objects, of the same events."""
        return self._replace(
            event=self.event[index],
            features=self.features.take(index, axis=0),
            passes=None if self.passes is None else self.passes[index],
        )

    def directions(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
        """Return (n, most of an event) eta and phi, and where there is an object that counts.

        They must be event by event.
        """
        slots = self.slots(int(self.counts().max(initial=0)))
        there = slots != NONE
        if self.passes is not None:
            there[there] = self.passes[slots[there]]
        eta, phi = (
            self.rows(slots)[..., self.names.index(name)].astype(np.float64)
            for name in ("eta", "phi")
        )
        return eta, phi, there

    def slots(self, count: int, events: Places | None = None) -> Places:
        """Return (n, count) where the first objects of each event are, -1 of none."""
        counts, first = self.counts(), self.first()
        if events is not None:
            counts, first = counts[events], first[events]
        slot = np.arange(count)
        return np.where(slot < counts[:, np.newaxis], first[:, np.newaxis] + slot, NONE)

    def rows(self, index: Places) -> NDArray[np.float32]:
        """Return (n, slots, features) of the objects that are there, zeros where -1 is."""
        shape = (*index.shape, self.features.shape[1])
        if not len(self.features):
            return np.zeros(shape, dtype=np.float32)
        flat = index.ravel()
        rows = self.features.take(flat, axis=0, mode="clip")
        rows[flat == NONE] = 0
        return rows.reshape(shape)


def accepted_in_pt_order(objects: Objects, pt_min: float, abs_eta_max: float) -> Places:
    """Return the objects that count and pass the cuts, event by event and falling in pT.

    Objects of equal pT stay in the order of the ntuple.
    """
    pt, eta = objects.column("pt"), objects.column("eta")
    passes = (pt >= pt_min) & (np.abs(eta) <= abs_eta_max)
    if objects.passes is not None:
        passes &= objects.passes
    index = np.flatnonzero(passes)
    # The bits of positive floats are ordered as the floats are: one key for both.
    hardness = pt[index].view(np.uint32)
    key = (objects.event[index].astype(np.uint64) << np.uint64(32)) | ~hardness
    if np.all(key[1:] >= key[:-1]):
        return index
    return index[np.argsort(key, kind="stable")]


def joined(parts: Sequence[Objects]) -> Objects:
    """Return the objects of several blocks of the same events as one table."""
    passes = [
        np.ones(len(part.event), dtype=np.bool_) if part.passes is None else part.passes
        for part in parts
    ]
    return parts[0]._replace(
        event=np.concatenate([part.event for part in parts]),
        features=np.concatenate([part.features for part in parts]),
        passes=np.concatenate(passes) if any(part.passes is not None for part in parts) else None,
    )


def that_count(
    rows: Rows, block: Collection, offsets: Places, event: Places
) -> NDArray[np.bool_] | None:
    """Return (objects,) where the condition of a block is true, None where it has none.

    The lists of the block have these offsets, `event` is the event of each object.
    """
    if block.where is None:
        return None
    columns = block.where.columns(all_columns(block))

    def values(name: str) -> NDArray[Any]:
        raw = rows.objects(columns[name], offsets)
        # Masks need all their bits, which 32-bit floats do not have.
        plain = columns[name].unit == "none"
        return raw if plain else rows.converted(columns[name], raw, event)

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
    own_eta, own_phi = (objects.column(name)[:, np.newaxis] for name in ("eta", "phi"))
    passes = np.ones(len(objects.event), dtype=np.bool_)
    for name, distance in distances.items():
        for others in parts[name]:
            eta, phi, there = others.directions()
            apart = delta_r(own_eta, own_phi, eta[objects.event], phi[objects.event])
            passes &= ~np.any((apart < distance) & there[objects.event], axis=1)
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

Values = NDArray[np.float32]


def signed_flavours(
    rows: Rows, leptons: Leptons, values: Mapping[str, Values], event: NDArray[np.int64]
) -> Values:
    """Return (leptons,) the code of each lepton, negative for positive charge.

    `values` has under "pdg_id" and "charge" what the map names of them; `event` is that of each.
    """
    if isinstance(leptons.pdg_id, FlavourColumn):
        flavour = _flavours(rows, leptons.pdg_id, values["pdg_id"], event)
    else:
        flavour = np.full(len(event), leptons.pdg_id, dtype=np.float32)
    if leptons.charge is None:
        return flavour
    charge = values["charge"]
    what = "is {:g}, a lepton's charge is 1 or -1"
    rows.refuse_where(np.abs(charge) != 1, leptons.charge, what, charge, event=event)
    return np.copysign(flavour, -charge)


def _flavours(
    rows: Rows, column: FlavourColumn, values: Values, event: NDArray[np.int64]
) -> Values:
    """Return (leptons,) the PDG's codes of what a branch says, with its signs where it has some."""
    codes: Mapping[int, int] = column.codes or {
        sign * code: sign * code for code in NAMES for sign in (1, -1)
    }
    flavours = np.zeros_like(values)
    for said, code in codes.items():
        flavours[values == said] = code
    known = ", ".join(f"{NAMES[code]} ({said})" for said, code in codes.items() if code in NAMES)
    what = f"is {{:g}}, which is no {' or '.join(known.rsplit(', ', 1))}"
    rows.refuse_where(flavours == 0, column, what, values, event=event)
    return flavours


def energies(values: Mapping[str, Values]) -> Values:
    """Return (objects,) energies in GeV, sqrt(p^2 + m^2), from pt, eta and the code of leptons.

    What is no lepton has no mass.
    """
    momentum = values["pt"].astype(np.float64) * np.cosh(values["eta"].astype(np.float64))
    mass = np.zeros(len(momentum))
    for flavour, of_flavour in MASSES_GEV.items() if "pdg_id" in values else ():
        mass[np.abs(values["pdg_id"]) == flavour] = of_flavour
    return np.hypot(momentum, mass).astype(np.float32)


def require_masses(
    rows: Rows, masses: Mapping[Mass, BranchColumn], slots: Sequence[NDArray[np.float32]]
) -> None:
    """Refuse masses that are not those of the leptons in the rows's own order, beyond rounding.

    Each slot has (n, features), of which pt, eta, phi and energy are the first.
    """
    momenta = [four_momentum(*slot[:, :4].T) for slot in slots]
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
