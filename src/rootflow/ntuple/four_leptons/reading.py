"""Four-lepton events in chunks of bounded size, in GeV, as the branch map names them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple import csv_tables
from rootflow.ntuple.branch_map import all_columns
from rootflow.ntuple.columns import Table
from rootflow.ntuple.features import MOMENTUM
from rootflow.ntuple.four_leptons.branch_map import FourLeptonMap, Leptons
from rootflow.ntuple.four_leptons.expectation import Expectation, read_expectation
from rootflow.ntuple.four_leptons.flavours import signed_flavours, with_mass_of_flavour
from rootflow.ntuple.four_leptons.masses import require_masses
from rootflow.ntuple.four_leptons.wanted import TRIGGERS, Wanted
from rootflow.ntuple.identity import Identity, numbered_rows, read_identity
from rootflow.ntuple.objects import Objects
from rootflow.ntuple.opening import OpenTree, read_branches
from rootflow.ntuple.reading import joined, objects, product, scalars, values_of
from rootflow.ntuple.units import Column

# Of branches as they are in memory, or of text; pairs and angles need several times as much.
CHUNK_BYTES = 8 * 2**20


class Chunk(NamedTuple):
    """Some events of one file, as read: nothing is cut, sorted or padded.

    Attributes
    ----------
    leptons
        Table of pt, eta, phi, energy and signed pdg_id, negative for positive charge, and
        then of the quantities that were asked for, in the order of `quantities`.
    quantities
        Their names.
    trigger
        (n,) bool, one of the triggers has fired; None where it was not asked for.
    jet_n
        (n, 1) float32.
    extra
        (n, features) float32, what the map names under `event`.
    weight
        (n,) float64, the product of the weight branches; 1 where they were not asked for.
    identity
        Who they are.
    expectation
        What the file says of its sample up to here.
    """

    leptons: Objects
    quantities: tuple[str, ...]
    trigger: NDArray[np.bool_] | None
    jet_n: NDArray[np.float32]
    extra: NDArray[np.float32]
    weight: NDArray[np.float64]
    identity: Identity
    expectation: Expectation

    def __len__(self) -> int:
        return len(self.weight)


def read_chunks(
    path: Path, branch_map: FourLeptonMap, wanted: Wanted, chunk_bytes: int | None = None
) -> Iterator[Chunk]:
    """Yield the events of one file, in its order.

    Raises
    ------
    InputError
        The file, its tree or a branch is missing or broken; a value is not finite;
        energies cannot be in the unit that the map says; a lepton is neither electron nor
        muon; masses are not those of the leptons.
    """
    branches, may_lack = branches_of(branch_map, wanted), branch_map.may_be_lacking()
    events, expectation = 0, Expectation()
    for arrays in read_arrays(path, branch_map, branches, may_lack, chunk_bytes or CHUNK_BYTES):
        branch_map = branch_map.as_in(arrays)
        chunk = _chunk(path, arrays, branch_map, wanted, events, expectation)
        events, expectation = events + len(chunk), chunk.expectation
        yield chunk


def read_arrays(
    path: Path,
    branch_map: FourLeptonMap,
    branches: Sequence[str],
    may_lack: Collection[str],
    chunk_bytes: int = CHUNK_BYTES,
) -> Iterator[dict[str, Any]]:
    """Yield branches or columns of a file as awkward arrays, some events at a time.

    Parameters
    ----------
    may_lack
        Which of them are left out where the file has them not.

    Raises
    ------
    InputError
        The file, its tree or a branch is missing or broken.
    """
    if csv_tables.is_csv(path):
        there = csv_tables.column_names(path)
        branches = [name for name in branches if name in there or name not in may_lack]
        if not branches:
            return iter(())
        integers = [column.branch for column in _integers(branch_map) if column.branch in branches]
        return csv_tables.read_columns(path, branches, integers, chunk_bytes)
    return read_branches(path, branch_map.tree, branches, chunk_bytes, may_lack)


def read_entries(
    tree: OpenTree, branch_map: FourLeptonMap, wanted: Wanted, start: int, stop: int
) -> Chunk:
    """Return the entries of a tree from start to before stop.

    Raises
    ------
    InputError
        As of `read_chunks`.
    """
    branch_map = branch_map.as_in(tree.names())
    arrays = tree.read(branches_of(branch_map, wanted), start, stop)
    return _chunk(tree.path, arrays, branch_map, wanted, start, Expectation())


def branches_of(branch_map: FourLeptonMap, wanted: Wanted) -> list[str]:
    """Return the branches that are read, each once."""
    parts: list[Any] = [_integers(branch_map), branch_map.jet_n, branch_map.event]
    parts += [branch_map.masses, *_scale_columns(branch_map, wanted).values()]
    if wanted.weights:
        parts.append(_weights(branch_map))
    if TRIGGERS in wanted.quantities:
        parts.append(branch_map.triggers)
    for leptons in branch_map.collections():
        quantities = [getattr(leptons, name) for name in wanted.of_leptons]
        flavour = [leptons.charge, leptons.pdg_id]
        parts += [*leptons.coordinates().values(), *flavour, *quantities]
    return list(dict.fromkeys(column.branch for part in parts for column in all_columns(part)))


def _integers(branch_map: FourLeptonMap) -> list[Column]:
    """Return the columns that say who an event is."""
    numbers = (branch_map.event_number, *branch_map.identity, branch_map.fold_number)
    return [column for column in numbers if column is not None]


def _weights(branch_map: FourLeptonMap) -> Sequence[Column]:
    if branch_map.expected_events is not None:
        return [branch_map.expected_events]
    return branch_map.weights


def _scale_columns(branch_map: FourLeptonMap, wanted: Wanted) -> dict[str, Column | None]:
    return {
        "cross_section_pb": branch_map.cross_section_pb if wanted.cross_section else None,
        "sum_of_weights": branch_map.sum_of_weights if wanted.sum_of_weights else None,
    }


def _chunk(
    path: Path,
    arrays: Mapping[str, Any],
    branch_map: FourLeptonMap,
    wanted: Wanted,
    first_row: int,
    before: Expectation,
) -> Chunk:
    n_events = len(arrays[branch_map.jet_n.branch])
    if branch_map.event_number is None:
        identity = numbered_rows(path, arrays, branch_map, first_row, n_events)
    else:
        identity = read_identity(path, arrays, branch_map)
    table = Table(path, arrays, identity, first_row)
    collections = branch_map.collections()
    if branch_map.slots is not None:
        table = table._replace(arrays=_as_lists(table, collections))
    parts = [_leptons(table, leptons, wanted.of_leptons) for leptons in collections]
    require_masses(table, branch_map.masses, [part.features for part in parts])
    trigger = None
    if TRIGGERS in wanted.quantities:
        trigger = np.any([table.scalar(column) != 0 for column in branch_map.triggers], axis=0)
    return Chunk(
        leptons=joined(parts),
        quantities=wanted.of_leptons,
        trigger=trigger,
        jet_n=scalars(table, [branch_map.jet_n]),
        extra=scalars(table, list(branch_map.event.values())),
        weight=product(table, _weights(branch_map) if wanted.weights else []),
        identity=identity,
        expectation=read_expectation(table, before, **_scale_columns(branch_map, wanted)),
    )


def _as_lists(table: Table, slots: Collection[Leptons]) -> dict[str, Any]:
    """Return the arrays with those of the slots as lists of one lepton for each event."""
    columns = [column for leptons in slots for column in all_columns(leptons)]
    lists = {
        column.branch: ak.from_numpy(table.scalar_or_nan(column)[:, np.newaxis], regulararray=True)
        for column in columns
        if column.branch in table.arrays
    }
    return {**table.arrays, **lists}


def _leptons(table: Table, leptons: Leptons, quantities: Sequence[str]) -> Objects:
    numbers: dict[str, Column] = {name: getattr(leptons, name) for name in quantities}
    if isinstance(leptons.pdg_id, Column):
        numbers["pdg_id"] = leptons.pdg_id
    if leptons.charge is not None:
        numbers["charge"] = leptons.charge
    event, values = values_of(table, leptons, numbers)
    values["pdg_id"] = signed_flavours(table, leptons, values, event)
    if "energy" not in values:
        values["energy"] = with_mass_of_flavour(values)
    return objects(table, event, values, [*MOMENTUM, "pdg_id", *quantities])
