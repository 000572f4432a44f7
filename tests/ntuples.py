"""Small ntuples for tests: real events, changed where a test wants."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import uproot

from rootflow.config import FoldingConfig
from rootflow.dataset.event_reader import Entries, EventReader
from rootflow.formats import open_table
from rootflow.ntuple import load_branch_map

Branches = dict[str, Any]


def read_branches(path: Path, events: int | None = None) -> Branches:
    """Return the first events of a file, what it has of the branches in TopCPToolkit's map."""
    with uproot.open(path) as file:
        names = load_branch_map("topcptoolkit").as_in(file["reco"].keys()).branches()
        return dict(file["reco"].arrays(names, entry_stop=events, how=dict))


def entries_of(
    reader: EventReader, path: Path, folds: FoldingConfig | None = None, at_most: int = 10_000
) -> list[Entries]:
    """Return what is selected of a file, so many entries at a time, without a dataset."""
    with open_table(path, reader.branch_map.tree) as tree:
        return [
            reader.entries(tree, folds or FoldingConfig(), start, stop)
            for start, stop in tree.ranges(at_most)
        ]


def read_tree(path: Path, tree: str) -> Branches:
    """Return every branch of a file's tree."""
    with uproot.open(path) as file:
        return dict(file[tree].arrays(how=dict))


def write_ntuple(path: Path, branches: Mapping[str, Any], tree: str = "reco") -> Path:
    """Write branches to a new ROOT file, and return its path."""
    with uproot.recreate(path) as file:
        types = {name: ak.type(array).content for name, array in branches.items()}
        file.mktree(tree, types).extend(branches)
    return path


def changed(array: Any, event: int, value: Any) -> Any:
    """Return the array with another value, or list of values, for one event."""
    return ak.concatenate(
        [array[:event], ak.values_astype([value], _number_type(array)), array[event + 1 :]]
    )


def _number_type(array: Any) -> str:
    kind = ak.type(array)
    while hasattr(kind, "content"):
        kind = kind.content
    return str(kind.primitive)
