"""Events of ntuples in chunks of bounded size, in GeV, as the branch map names them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import vector
from numpy.typing import NDArray

from rootflow.ntuple.branch_map import BranchMap, Collection, Jets, Leptons
from rootflow.ntuple.columns import LARGEST_ENERGY_GEV, SMALLEST_PT_GEV, Table, largest_of
from rootflow.ntuple.features import MOMENTUM
from rootflow.ntuple.identity import Identity, Integers, read_identity
from rootflow.ntuple.objects import Objects
from rootflow.ntuple.opening import OpenTree, read_branches
from rootflow.ntuple.reconstructed import read_neutrinos
from rootflow.ntuple.truth import Truth, read_truth
from rootflow.ntuple.units import Column

# Of branches as they are in memory; what is made of them needs a few times as much.
CHUNK_BYTES = 32 * 2**20
# Share of pT by which an energy may fall short of it: ntuples may hold rounded numbers.
ENERGY_TOLERANCE = 0.01


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
    systematic_weights
        (n,) with a float64 field for each variation; None where the map names none.
    identity
        Who they are.
    truth
        What the generator says, as far as the map names it.
    neutrinos
        (n, 2, 3) float32, px, py, pz in GeV as another reconstruction left them, NaN where
        it has none; None where the map names none.
    """

    jets: Objects
    leptons: Objects
    met: NDArray[np.float32]
    event: NDArray[np.float32]
    weight: NDArray[np.float64]
    systematic_weights: NDArray[np.void] | None
    identity: Identity
    truth: Truth
    neutrinos: NDArray[np.float32] | None

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def event_number(self) -> Integers:
        """(n,) as the ntuple shows them."""
        return self.identity.number


def read_chunks(
    path: Path, branch_map: BranchMap, chunk_bytes: int = CHUNK_BYTES
) -> Iterator[Chunk]:
    """Yield the events of one file, in its order.

    Raises
    ------
    InputError
        The file, its tree or a branch is missing or broken; a feature or a weight is not
        finite; energies cannot be in the unit that the map says.
    """
    events = 0
    branches, may_lack = branch_map.branches(), branch_map.may_lack
    for arrays in read_branches(path, branch_map.tree, branches, chunk_bytes, may_lack):
        branch_map = branch_map.as_in(arrays)
        chunk = _chunk(path, arrays, branch_map, events)
        events += len(chunk)
        yield chunk


def read_entries(tree: OpenTree, branch_map: BranchMap, start: int, stop: int) -> Chunk:
    """Return the entries of a tree from start to before stop.

    Raises
    ------
    InputError
        As of `read_chunks`.
    """
    branch_map = branch_map.as_in(tree.names())
    return _chunk(tree.path, tree.read(branch_map.branches(), start, stop), branch_map, start)


def _chunk(path: Path, arrays: Mapping[str, Any], branch_map: BranchMap, first_entry: int) -> Chunk:
    table = Table(path, arrays, read_identity(path, arrays, branch_map), first_entry)
    jets = _jets(table, branch_map.jets)
    met = scalars(table, [branch_map.met.pt, branch_map.met.phi])
    table.require_unit(branch_map.met.pt, met[:, 0], SMALLEST_PT_GEV)
    return Chunk(
        jets=jets,
        leptons=joined([_leptons(table, collection) for collection in branch_map.leptons]),
        met=met,
        event=scalars(table, list(branch_map.event.values())),
        weight=product(table, branch_map.weights),
        systematic_weights=_products(table, branch_map.systematic_weights),
        identity=table.identity,
        truth=read_truth(table, branch_map.truth, jets.counts()),
        neutrinos=read_neutrinos(table, branch_map.neutrinos),
    )


def joined(parts: Sequence[Objects]) -> Objects:
    """Return the objects of several collections of the same events as one table."""
    return Objects(
        np.concatenate([part.event for part in parts]),
        np.concatenate([part.features for part in parts]),
        parts[0].n_events,
    )


def _jets(table: Table, jets: Jets) -> Objects:
    numbers: dict[str, Column] = {"btag": jets.btag, **jets.extra}
    event, values = values_of(table, jets, numbers)
    return objects(table, event, values, [*MOMENTUM, *numbers])


def _leptons(table: Table, leptons: Leptons) -> Objects:
    numbers: dict[str, Column] = {}
    if isinstance(leptons.pdg_id, Column):
        numbers["pdg_id"] = leptons.pdg_id
    if leptons.charge is not None:
        numbers["charge"] = leptons.charge
    event, values = values_of(table, leptons, numbers)
    if not isinstance(leptons.pdg_id, Column):
        values["pdg_id"] = np.full(len(event), leptons.pdg_id, dtype=np.float32)
    if leptons.charge is not None:
        values["pdg_id"] = np.copysign(values["pdg_id"], -values["charge"])
    return objects(table, event, values, [*MOMENTUM, "pdg_id"])


def values_of(
    table: Table, collection: Collection, numbers: Mapping[str, Column]
) -> tuple[NDArray[np.int64], dict[str, NDArray[np.float32]]]:
    """Return the event of each object, and its momentum and numbers by name."""
    offsets = table.lists(collection.pt).offsets
    event = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    values = {
        name: table.converted(column, table.objects(column, offsets), event)
        for name, column in (collection.coordinates() | dict(numbers)).items()
    }
    _require_reconstructed(table, collection.pt, values["pt"])
    _require_possible(table, collection, values, event)
    if collection.energy is not None:
        _require_energy_beyond_pt(table, collection.energy, values, event)
    if "mass" in values:
        vectors: Any = vector.array({name: values[name] for name in collection.coordinates()})
        values["energy"] = vectors.energy
    return event, values


def objects(
    table: Table,
    event: NDArray[np.int64],
    values: Mapping[str, NDArray[np.float32]],
    names: Sequence[str],
) -> Objects:
    """Return these values as a table of objects, in the order of the names."""
    features = np.empty((len(event), len(names)), dtype=np.float32)
    for place, name in enumerate(names):
        features[:, place] = values[name]
    return Objects(event, features, len(table.event_number))


def _require_reconstructed(table: Table, column: Column, pt: NDArray[np.float32]) -> None:
    if len(pt) and pt.max() < SMALLEST_PT_GEV:
        raise table.wrong(
            column,
            f"is at most {pt.max():.2g} GeV when read as {column.unit}, less than anything "
            f"that is reconstructed: is its unit in the branch map right?",
        )


def _require_possible(
    table: Table,
    collection: Collection,
    values: Mapping[str, NDArray[np.float32]],
    event: NDArray[np.int64],
) -> None:
    pt, eta = values["pt"], values["eta"]
    with np.errstate(over="ignore"):  # it is refused
        if largest_of(pt) * np.cosh(largest_of(eta)) > LARGEST_ENERGY_GEV:
            columns = {"pt": collection.pt, "eta": collection.eta}
            table.require_possible(columns, values, pt * np.cosh(eta), event)


def _require_energy_beyond_pt(
    table: Table,
    column: Column,
    values: Mapping[str, NDArray[np.float32]],
    event: NDArray[np.int64],
) -> None:
    pt, energy = values["pt"], values["energy"]
    too_small = energy < np.float32(1 - ENERGY_TOLERANCE) * pt
    if too_small.any():
        where = int(np.argmax(too_small))
        raise table.wrong(
            column,
            f"is {energy[where]:.2g} GeV when read as {column.unit}, less than the pT of "
            f"{pt[where]:.2g} GeV: is its unit in the branch map right?",
            event[where],
        )


def scalars(table: Table, columns: Sequence[Column]) -> NDArray[np.float32]:
    """Return (n, columns) values in the units of rootflow, of branches with one per event."""
    array = np.empty((len(table.event_number), len(columns)), dtype=np.float32)
    for place, column in enumerate(columns):
        array[:, place] = table.converted(column, table.scalar(column))
    return array


def product(table: Table, weights: Sequence[Column]) -> NDArray[np.float64]:
    """Return (n,) the product of weight branches, 1 of none.

    Raises
    ------
    InputError
        One of them, or the product, is not finite.
    """
    weight = np.ones(len(table.event_number))
    for column in weights:
        with np.errstate(over="ignore", invalid="ignore"):  # it is refused
            weight *= table.scalar_or_nan(column)
        if not np.isfinite(largest_of(weight)):
            where = int(np.argmin(np.isfinite(weight)))
            value = table.scalar_or_nan(column)[where]
            product = f": with the others {weight[where]}" if np.isfinite(value) else ""
            raise table.wrong(column, f"is {value}{product}, which is no weight", where)
    return weight


def _products(table: Table, weights: Mapping[str, Sequence[Column]]) -> NDArray[np.void] | None:
    if not weights:
        return None
    found = np.empty(len(table.event_number), [(name, np.float64) for name in weights])
    for name, columns in weights.items():
        found[name] = product(table, columns)
    return found
