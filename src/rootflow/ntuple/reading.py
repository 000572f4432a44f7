"""Events of ntuples in chunks of bounded size, in GeV, as the branch map names them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import vector
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.ntuple.branch_map import BranchMap, Column, Jets, Leptons
from rootflow.ntuple.columns import SMALLEST_LEADING_PT_GEV, Table
from rootflow.ntuple.objects import Objects
from rootflow.ntuple.opening import open_tree
from rootflow.ntuple.truth import Truth, read_truth

# Of branches as they are in memory; what is made of them needs a few times as much.
CHUNK_BYTES = 32 * 2**20


class Chunk(NamedTuple):
    """Some events of one file, as read: nothing is cut, sorted or padded.

    Attributes
    ----------
    jets, leptons
        Tables with the features that `features_of` names; the pdg_id of leptons is
        signed, negative for positive charge.
    met, event
        (n, features) float32.
    weight
        (n,) float64, the product of the weight branches.
    event_number
        (n,) uint64.
    truth
        What the generator says, as far as the map names it.
    """

    jets: Objects
    leptons: Objects
    met: NDArray[np.float32]
    event: NDArray[np.float32]
    weight: NDArray[np.float64]
    event_number: NDArray[np.uint64]
    truth: Truth

    def __len__(self) -> int:
        return len(self.weight)


def read_chunks(
    path: Path, branch_map: BranchMap, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[Chunk]:
    """Yield the events of one file, in its order.

    Raises
    ------
    InputError
        The file, its tree or a branch is missing or broken; a feature or a weight is not
        finite; energies cannot be in the unit that the map says; an event number repeats.
    """
    with open_tree(path, branch_map) as tree:
        branches = branch_map.branches()
        step = max(1, int(tree.num_entries_for(chunk_bytes, branches)))
        event_numbers = [np.empty(0, dtype=np.uint64)]
        for arrays in tree.iterate(branches, step_size=step):
            chunk = _chunk(path, arrays, branch_map)
            event_numbers.append(chunk.event_number)
            yield chunk
    _require_unique(path, np.concatenate(event_numbers))


def _chunk(path: Path, arrays: Any, branch_map: BranchMap) -> Chunk:
    numbers = np.asarray(arrays[branch_map.event_number.branch])
    if not np.issubdtype(numbers.dtype, np.integer):
        raise InputError(
            f"{path}: branch '{branch_map.event_number.branch}' holds {numbers.dtype}, "
            f"an event number is an integer"
        )
    table = Table(path, arrays, numbers.astype(np.uint64))
    leptons = [_leptons(table, collection) for collection in branch_map.leptons]
    return Chunk(
        jets=_jets(table, branch_map.jets),
        leptons=Objects(
            np.concatenate([part.event for part in leptons]),
            np.concatenate([part.features for part in leptons]),
            len(numbers),
        ),
        met=_scalars(table, [branch_map.met.pt, branch_map.met.phi]),
        event=_scalars(table, list(branch_map.event.values())),
        weight=_weight(table, branch_map),
        event_number=table.event_number,
        truth=read_truth(table, branch_map.truth),
    )


def _jets(table: Table, jets: Jets) -> Objects:
    event, momentum = _momentum(table, jets)
    counts = np.bincount(event, minlength=len(table.event_number))
    numbers = [
        table.converted(column, table.jagged(column, counts), event)
        for column in (jets.btag, *jets.extra.values())
    ]
    return Objects(event, np.stack([*momentum, *numbers], axis=-1), len(counts))


def _leptons(table: Table, leptons: Leptons) -> Objects:
    event, momentum = _momentum(table, leptons)
    counts = np.bincount(event, minlength=len(table.event_number))

    def values(column: Column) -> NDArray[np.float32]:
        return table.converted(column, table.jagged(column, counts), event)

    if isinstance(leptons.pdg_id, Column):
        pdg_id = values(leptons.pdg_id)
    else:
        pdg_id = np.full(len(event), leptons.pdg_id, dtype=np.float32)
    if leptons.charge is not None:
        pdg_id = np.copysign(pdg_id, -values(leptons.charge))
    return Objects(event, np.stack([*momentum, pdg_id], axis=-1), len(counts))


def _momentum(
    table: Table, objects: Jets | Leptons
) -> tuple[NDArray[np.int64], list[NDArray[np.float32]]]:
    """Return the event of each object, and pt, eta, phi, energy."""
    counts = table.counts(objects.pt)
    event = np.repeat(np.arange(len(counts)), counts)

    def values(column: Column) -> NDArray[np.float32]:
        return table.converted(column, table.jagged(column, counts), event)

    pt, eta, phi = values(objects.pt), values(objects.eta), values(objects.phi)
    if len(pt) and pt.max() < SMALLEST_LEADING_PT_GEV:
        raise table.wrong(
            objects.pt,
            f"is at most {pt.max():.2g} GeV when read as {objects.pt.unit}, less than anything "
            f"that is reconstructed: is its unit in the branch map right?",
        )
    if objects.energy is not None:
        energy = values(objects.energy)
    else:
        assert objects.mass is not None
        mass = values(objects.mass)
        energy = vector.array({"pt": pt, "eta": eta, "phi": phi, "mass": mass}).energy
    return event, [pt, eta, phi, energy]


def _scalars(table: Table, columns: list[Column]) -> NDArray[np.float32]:
    array = np.empty((len(table.event_number), len(columns)), dtype=np.float32)
    for place, column in enumerate(columns):
        array[:, place] = table.converted(column, table.scalar(column))
    return array


def _weight(table: Table, branch_map: BranchMap) -> NDArray[np.float64]:
    weight = np.ones(len(table.event_number))
    for column in branch_map.weights:
        factor = table.scalar(column)
        bad = ~np.isfinite(factor)
        if bad.any():
            where = int(np.argmax(bad))
            raise table.wrong(column, f"is {factor[where]}, which is no weight", where)
        weight *= factor
    return weight


def _require_unique(path: Path, event_number: NDArray[np.uint64]) -> None:
    event_number.sort()
    repeats = event_number[1:] == event_number[:-1]
    if repeats.any():
        raise InputError(
            f"{path}: event number {event_number[np.argmax(repeats)]} occurs more than once; "
            f"{int(repeats.sum())} of {len(event_number)} events repeat one before"
        )
