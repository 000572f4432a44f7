"""Writing and reading the ntuple."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import uproot

from rootflow.errors import InputError, RootflowError
from rootflow.files import whole_file

TREE = "reco"
GENERATED = "generated_events"
COLLECTIONS = ("jet", "el", "mu")
EVENTS_PER_BASKET = 10_000


class Ntuple(NamedTuple):
    """Selected events, branch by branch, and how many were generated to get them."""

    events: ak.Array
    generated: int


def write_ntuple(ntuple: Ntuple, path: Path) -> None:
    """Write a ROOT file that is there whole or not at all.

    Raises
    ------
    RootflowError
        It cannot be written.
    """
    branches = _with_collections(ntuple.events)
    types = {name: array.type.content for name, array in branches.items()}
    try:
        with (
            whole_file(path) as partial,
            uproot.recreate(partial, compression=uproot.ZSTD(5)) as file,
        ):
            tree = file.mktree(TREE, types, counter_name=lambda name: f"{name}_n")
            for start in range(0, len(ntuple.events), EVENTS_PER_BASKET):
                stop = start + EVENTS_PER_BASKET
                tree.extend({name: array[start:stop] for name, array in branches.items()})
            file[GENERATED] = str(ntuple.generated)
    except OSError as error:
        raise RootflowError(f"{path}: cannot write the ntuple: {error.strerror}") from None


def read_ntuples(paths: Sequence[Path]) -> Ntuple:
    """Return what is in all the files together, in their order.

    Raises
    ------
    InputError
        A file is damaged.
    """
    ntuples = [_read(path) for path in paths]
    return Ntuple(
        ak.concatenate([ntuple.events for ntuple in ntuples]),
        sum(ntuple.generated for ntuple in ntuples),
    )


def _read(path: Path) -> Ntuple:
    counters = [f"{collection}_n" for collection in COLLECTIONS]
    try:
        with uproot.open(path) as file:
            names = [name for name in file[TREE].keys(recursive=False) if name not in counters]
            events = file[TREE].arrays(names)
            return Ntuple(events, int(file[GENERATED]))
    except (OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{path}: damaged ({type(error).__name__}); remove it and simulate again"
        ) from None


def _with_collections(events: ak.Array) -> dict[str, ak.Array]:
    """Zip jet_pt, jet_eta, ... to one collection, which uproot writes with one counter."""
    branches: dict[str, ak.Array] = {}
    collections: dict[str, dict[str, Any]] = {name: {} for name in COLLECTIONS}
    for name in ak.fields(events):
        collection, _, field = name.partition("_")
        if collection in collections:
            collections[collection][field] = events[name]
        else:
            branches[name] = events[name]
    return {name: ak.zip(fields) for name, fields in collections.items()} | branches
