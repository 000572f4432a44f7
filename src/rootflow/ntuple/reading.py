"""Events of files in chunks of bounded size, in GeV, as the branch map names them."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.formats import Table, open_table
from rootflow.formats.table import WHOLE, Share
from rootflow.ntuple.branch_map import BranchMap, Collection, Leptons
from rootflow.ntuple.columns import (
    LARGEST_ENERGY_GEV,
    SMALLEST_PT_GEV,
    Offsets,
    Rows,
    Values,
    energies,
    largest_of,
    read_identity,
    structured,
)
from rootflow.ntuple.conditions import all_columns
from rootflow.ntuple.features import MOMENTUM
from rootflow.ntuple.generated import read_generated
from rootflow.ntuple.objects import (
    Objects,
    energies_of_flavours,
    events_that_count,
    joined,
    require_masses,
    signed_flavours,
    that_count,
    without_overlaps,
)
from rootflow.ntuple.sums_of_weights import in_events
from rootflow.ntuple.truth import read_neutrinos, read_truth
from rootflow.ntuple.units import BranchColumn
from rootflow.places import Place

# Of branches as they are in memory, or of text; what is made of them needs a few times as much.
CHUNK_BYTES = 16 * 2**20
# Share of pT by which an energy may fall short of it: ntuples may hold rounded numbers.
ENERGY_TOLERANCE = 0.01


class Expectation(NamedTuple):
    """Cross section in pb and sum of weights before any cut, None where they were not read."""

    cross_section_pb: float | None = None
    sum_of_weights: float | None = None


class Chunk(NamedTuple):
    """Some events of one file, as read: nothing is cut, sorted or padded.

    `objects` have the features that `features_of` names and then the quantities for cuts; the
    pdg_id of leptons is signed, negative for positive charge. `met` (n, 2) are pt and phi, `event`
    (n,) is by feature, `triggers` (n,) by branch, True where it has fired, `passes` (n,) whether
    it counts by the map (None: all do), and `weight` (n,) the product of the weight branches.

    `beside` is what the map names of truth, other reconstructions and systematic weights, in GeV:
    by the names of `Events`, but for the (n, 2) `jet_index` of b and bbar among the jets as the
    ntuple orders them, -1 where there is none, and for both where they are in one jet; and (n,)
    `dileptonic`, which says where both neutrinos exist. The expectation is what the file says of
    its sample up to here; the rows, what they were read from, say who they are, and what is wrong
    with one.
    """

    objects: dict[str, Objects]
    met: NDArray[np.float32] | None
    event: dict[str, NDArray[np.float32]]
    triggers: dict[str, NDArray[np.bool_]]
    passes: NDArray[np.bool_] | None
    weight: NDArray[np.float64]
    beside: dict[str, NDArray[Any]]
    expectation: Expectation
    rows: Rows

    def __len__(self) -> int:
        return len(self.weight)


def read_chunks(
    path: Place, branch_map: BranchMap, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[Chunk]:
    """Yield the events of one file, in its order: all that the map names.

    Raises
    ------
    InputError
        The file, its tree or a branch is missing or broken; a feature or a weight is not
        finite; energies cannot be in the unit that the map says; a lepton is none, or masses
        are not those of the leptons.
    """
    with open_events(path, branch_map) as table:
        yield from chunks_of(table, branch_map, chunk_bytes)


def open_events(path: Place, branch_map: BranchMap) -> AbstractContextManager[Table]:
    """Return what opens a file for `chunks_of` with the same map."""
    return open_table(path, branch_map.tree, branch_map.integers())


def chunks_of(
    table: Table,
    branch_map: BranchMap,
    chunk_bytes: int = CHUNK_BYTES,
    share: Share = WHOLE,
    expectation: Expectation = Expectation(),  # noqa: B008 - nothing changes it
) -> Iterator[Chunk]:
    """Yield the events of a share of an open file, refused as by `read_chunks`.

    The expectation is what the shares before it said.
    """
    branch_map = branch_map.as_in(table.names())
    for start, arrays in table.chunks(branch_map.branches(), chunk_bytes, share):
        chunk = _chunk(table.path, arrays, branch_map, start, expectation)
        expectation = chunk.expectation
        yield chunk


def read_entries(table: Table, branch_map: BranchMap, start: int, stop: int) -> Chunk:
    """Return the entries of a table from start to before stop, refused as by `read_chunks`."""
    branch_map = branch_map.as_in(table.names())
    arrays = table.read(branch_map.branches(), start, stop)
    return _chunk(table.path, arrays, branch_map, start, Expectation())


def _chunk(
    path: Place,
    arrays: Mapping[str, Any],
    branch_map: BranchMap,
    first_entry: int,
    before: Expectation,
) -> Chunk:
    identity = read_identity(path, arrays, branch_map, first_entry)
    rows = Rows(path, arrays, identity, first_entry)
    blocks = branch_map.objects()
    if branch_map.slots is not None:
        rows = rows._replace(arrays=_as_lists(rows, blocks["leptons"]))
    parts = {name: [_objects(rows, block) for block in of_name] for name, of_name in blocks.items()}
    parts = without_overlaps(parts, blocks)
    require_masses(rows, branch_map.masses, parts.get("leptons", []))
    objects = {name: joined(of_name) for name, of_name in parts.items()}
    met = None
    if branch_map.met is not None:
        both = (branch_map.met.pt, branch_map.met.phi)
        met = np.stack([_scalar(rows, column) for column in both], axis=-1)
        rows.require_unit(branch_map.met.pt, met[:, 0], SMALLEST_PT_GEV)
    columns: dict[str, BranchColumn] = (
        {} if branch_map.jet_n is None else {"jet_n": branch_map.jet_n}
    )
    columns |= branch_map.event_columns()
    jets = objects["jets"].counts() if "jets" in objects else np.zeros(len(identity.number), int)
    weight = _product(rows, branch_map.all_weights())
    beside = read_truth(rows, branch_map.truth, jets)
    if branch_map.truth.particles is not None:
        beside |= read_generated(
            rows, branch_map.truth.particles, branch_map.truth.matching, objects.get("jets")
        )
    if branch_map.neutrinos is not None:
        beside["reconstructed_neutrinos"] = read_neutrinos(rows, branch_map.neutrinos)
    if branch_map.systematic_weights:
        products = {
            name: _product(rows, columns) for name, columns in branch_map.systematic_weights.items()
        }
        beside["systematic_weights"] = structured(products, np.float64)
    return Chunk(
        objects=objects,
        met=met,
        event={name: _scalar(rows, column) for name, column in columns.items()},
        triggers=_triggers(rows, branch_map),
        passes=events_that_count(rows, branch_map.where),
        weight=weight,
        beside=beside,
        expectation=Expectation(
            _constant(rows, before.cross_section_pb, branch_map.cross_section_pb),
            _constant(rows, before.sum_of_weights, in_events(branch_map.sum_of_weights)),
        ),
        rows=rows,
    )


def _triggers(rows: Rows, branch_map: BranchMap) -> dict[str, NDArray[np.bool_]]:
    """Return where each trigger has fired; one that the file lacks has not."""
    nowhere = np.zeros(len(rows.identity.number), dtype=np.bool_)
    lacking = branch_map.lacking_triggers()
    return {
        each.branch: nowhere if each.branch in lacking else rows.scalar(each) != 0
        for each in branch_map.triggers
    }


def _as_lists(rows: Rows, slots: Sequence[Collection]) -> dict[str, Any]:
    """Return the arrays with those of the slots as lists of one object for each event."""
    columns = [column for block in slots for column in all_columns(block)]
    lists = {
        column.branch: ak.from_numpy(rows.scalar_or_nan(column)[:, np.newaxis], regulararray=True)
        for column in columns
        if column.branch in rows.arrays
    }
    return {**rows.arrays, **lists}


def _objects(rows: Rows, block: Collection) -> Objects:
    beside = block.numbers() | block.quantities()
    columns = block.coordinates() | beside
    if isinstance(block, Leptons):
        flavour = {"pdg_id": block.pdg_id, "charge": block.charge}
        columns |= {name: each for name, each in flavour.items() if isinstance(each, BranchColumn)}
    if block.present is not None:
        conditions = {} if block.where is None else block.where.columns(all_columns(block))
        padded = [*columns.values(), *conditions.values()]
        rows = rows.without_padding(block.present, padded)
    offsets = rows.lists(block.pt).offsets
    values = {
        name: rows.converted(column, rows.objects(column, offsets), offsets)
        for name, column in columns.items()
    }
    _require_possible(rows, block, values, offsets)
    if block.mass is not None:
        values["energy"] = energies(values)
    names = [*MOMENTUM, *beside]
    if isinstance(block, Leptons):
        values["pdg_id"] = signed_flavours(rows, block, values, offsets)
        names.insert(len(MOMENTUM), "pdg_id")
    if "energy" not in values:
        values["energy"] = energies_of_flavours(values)
    return Objects(
        offsets, {name: values[name] for name in names}, that_count(rows, block, offsets)
    )


def _require_possible(
    rows: Rows,
    block: Collection,
    values: Mapping[str, Values],
    offsets: Offsets,
) -> None:
    """Refuse momenta that are too small, too large, or larger than their energies."""
    pt, eta = values["pt"], values["eta"]
    if len(pt) and pt.max() < SMALLEST_PT_GEV:
        raise rows.wrong(
            block.pt,
            f"is at most {pt.max():.2g} GeV when read as {block.pt.unit}, less than anything "
            f"that is reconstructed: is its unit in the branch map right?",
        )
    with np.errstate(over="ignore"):  # it is refused
        if largest_of(pt) * np.cosh(largest_of(eta)) > LARGEST_ENERGY_GEV:
            columns = {"pt": block.pt, "eta": block.eta}
            rows.require_possible(columns, values, pt * np.cosh(eta), offsets)
    if block.energy is not None:
        rows.refuse_where(
            values["energy"] < np.float32(1 - ENERGY_TOLERANCE) * pt,
            block.energy,
            f"is {{:.2g}} GeV when read as {block.energy.unit}, less than the pT of {{:.2g}} GeV: "
            f"is its unit in the branch map right?",
            values["energy"],
            pt,
            offsets=offsets,
        )


def _scalar(rows: Rows, column: BranchColumn) -> NDArray[np.float32]:
    """Return (n,) values in the units of rootflow, of a branch with one per event."""
    return rows.converted(column, rows.scalar_or_nan(column))


def _product(rows: Rows, weights: Sequence[BranchColumn]) -> NDArray[np.float64]:
    """Return (n,) the product of weight branches, which must be finite, 1 of none."""
    weight = np.ones(len(rows.identity.number))
    for column in weights:
        with np.errstate(over="ignore", invalid="ignore"):  # it is refused
            weight *= rows.scalar_or_nan(column)
        if not np.isfinite(largest_of(weight)):
            where = int(np.argmin(np.isfinite(weight)))
            value = rows.scalar_or_nan(column)[where]
            product = f": with the others {weight[where]}" if np.isfinite(value) else ""
            raise rows.wrong(column, f"is {value}{product}, which is no weight", where)
    return weight


def _constant(rows: Rows, before: float | None, column: BranchColumn | None) -> float | None:
    """Return the number that all events of a file must say, those before too."""
    if column is None or not len(rows.identity.number):
        return before
    values = rows.scalar(column).astype(np.float64)
    first = float(values[0]) if before is None else before
    if not 0 < first < np.inf:
        raise rows.wrong(
            column,
            f"is {first:g}: weights cannot be scaled by it; the configuration of the sample can "
            f"give another value",
            0,
        )
    rows.refuse_where(
        values != first,
        column,
        f"is {{:g}} but {first:g} in events before: it must be the same in all events of a file",
        values,
    )
    return first
