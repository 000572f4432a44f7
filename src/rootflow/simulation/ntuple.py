"""The ntuple: its branches, in MeV, of what is in GeV; writing and reading it."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from rootflow.config.simulation import PublishedCrossSectionConfig, WeightedProcessConfig
from rootflow.errors import InputError, RootflowError
from rootflow.files import whole_file
from rootflow.simulation.processes import NANOAOD_TREE

GENERATION = "generation"
# Branches with lists, by the first part of their names, and what counts them.
COLLECTIONS = {name: f"{name}_n" for name in ("jet", "el", "mu", "lep")} | {
    name: f"n{name}" for name in ("Jet", "Electron", "Muon", "GenPart")
}
EVENTS_PER_BASKET = 10_000
# NanoAOD has the run 1 in all simulation.
RUN = 1
MEV_PER_GEV = 1000.0

Branches = dict[str, ak.Array | NDArray[np.int32] | NDArray[np.float32]]


class Generation(NamedTuple):
    """How many events were generated, selected or not, and what their weights add up to.

    The cross section is the generator's, of its forced decays.
    """

    events: int
    sum_of_weights: float
    cross_section_pb: float


class Ntuple(NamedTuple):
    """Selected events, branch by branch, and what was generated to get them."""

    events: ak.Array
    generation: Generation


def cross_section_pb(config: WeightedProcessConfig, generation: Generation) -> float:
    """Return the cross section of all that was generated, selected or not.

    Published numbers are of the production and of the decays that are generated. The
    generator's own is of its forced decays, so that no branching ratio is missing.
    """
    if isinstance(config.cross_section, PublishedCrossSectionConfig):
        return config.cross_section.cross_section_pb
    return config.cross_section.k_factor * generation.cross_section_pb


def normalise(ntuple: Ntuple, cross_section_pb: float) -> Ntuple:
    """Add the branches that make weights expected events.

    The generator's weight x XSection / SumWeights x luminosity, summed over the events of a
    file, is the yield that the file's own generated events stand for; SumWeights is of this
    file alone.
    """
    events = ak.copy(ntuple.events)
    sum_of_weights = ntuple.generation.sum_of_weights
    events["XSection"] = np.full(len(events), cross_section_pb, dtype=np.float32)
    events["SumWeights"] = np.full(len(events), sum_of_weights, dtype=np.float32)
    return ntuple._replace(events=events)


def write_ntuple(ntuple: Ntuple, tree: str, path: Path) -> None:
    """Write a ROOT file that is there whole or not at all."""
    branches = _with_collections(ntuple.events)
    types = {name: array.type.content for name, array in branches.items()}
    try:
        with (
            whole_file(path) as partial,
            uproot.recreate(partial, compression=uproot.ZSTD(5)) as file,
        ):
            written = file.mktree(tree, types, counter_name=COLLECTIONS.__getitem__)
            for start in range(0, len(ntuple.events), EVENTS_PER_BASKET):
                stop = start + EVENTS_PER_BASKET
                written.extend({name: array[start:stop] for name, array in branches.items()})
            if tree == NANOAOD_TREE:
                _write_runs(file, ntuple.generation)
            file[GENERATION] = json.dumps(ntuple.generation._asdict())
    except OSError as error:
        raise RootflowError(f"{path}: cannot write the ntuple: {error.strerror}") from None


def read_ntuples(paths: Sequence[Path], tree: str) -> Ntuple:
    """Return what is in all the files together, in their order; a damaged one is an InputError."""
    counters = set(COLLECTIONS.values())
    events = []
    for path in paths:
        with _damage_explained(path), uproot.open(path) as file:
            names = [name for name in file[tree].keys(recursive=False) if name not in counters]
            events.append(file[tree].arrays(names))
    return Ntuple(ak.concatenate(events), read_generation(paths))


def read_generation(paths: Sequence[Path]) -> Generation:
    """Return what all the files' events were selected from.

    Sums, and the mean cross section, in which each file counts by its generated events.
    """
    generations = []
    for path in paths:
        with _damage_explained(path), uproot.open(path) as file:
            generations.append(Generation(**json.loads(file[GENERATION])))
    events = sum(each.events for each in generations)
    return Generation(
        events,
        sum(each.sum_of_weights for each in generations),
        sum(each.cross_section_pb * each.events for each in generations) / events,
    )


@contextmanager
def _damage_explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: damaged ({type(error).__name__}); remove it and simulate again"
        ) from None


def _write_runs(file: Any, generation: Generation) -> None:
    """Write the tree in which NanoAOD says what its events were selected from."""
    runs: dict[str, NDArray[Any]] = {
        "run": np.array([RUN], np.uint32),
        "genEventCount": np.array([generation.events], np.int64),
        "genEventSumw": np.array([generation.sum_of_weights], np.float64),
    }
    file.mktree("Runs", {name: values.dtype for name, values in runs.items()}).extend(runs)


def _with_collections(events: ak.Array) -> dict[str, ak.Array]:
    """Zip jet_pt, jet_eta, ... to one collection, which uproot writes with one counter."""
    branches: dict[str, ak.Array] = {}
    collections: dict[str, dict[str, Any]] = {}
    for name in ak.fields(events):
        collection, _, field = name.partition("_")
        if collection in COLLECTIONS:
            collections.setdefault(collection, {})[field] = events[name]
        else:
            branches[name] = events[name]
    return {name: ak.zip(fields) for name, fields in collections.items()} | branches


def mev_branch(quantity: ak.Array | NDArray[np.float64]) -> ak.Array:
    """Return a branch in MeV, 32 bits as the experiments' ntuples have them, of what is in GeV."""
    return float_branch(quantity * MEV_PER_GEV)


def float_branch(quantity: ak.Array | NDArray[np.float64]) -> ak.Array:
    """Return a branch of 32 bit floats."""
    return ak.values_astype(quantity, np.float32)


def wrapped(phi: Any) -> Any:
    """Return azimuthal angles from -pi on."""
    return (phi + np.pi) % (2 * np.pi) - np.pi


def momentum_branches(prefix: str, momenta: ak.Array, suffix: str, energy: str) -> Branches:
    """Return the branches of momenta, phi from -pi on; the suffix is that of pT and energy."""
    return {
        f"{prefix}_pt{suffix}": mev_branch(momenta.pt),
        f"{prefix}_eta": float_branch(momenta.eta),
        f"{prefix}_phi": float_branch(wrapped(momenta.phi)),
        f"{prefix}_{energy}{suffix}": mev_branch(momenta.E),
    }
