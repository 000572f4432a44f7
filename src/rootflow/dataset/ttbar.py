"""Dileptonic ttbar events: the one sample of an analysis without labels."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import DataConfig, FoldingConfig, SelectionConfig
from rootflow.dataset.events import Events
from rootflow.dataset.identity import content_of
from rootflow.dataset.loose import loose_events
from rootflow.dataset.manifest import Normalisation
from rootflow.dataset.plans import Part, Plan, ReadEvents, ReadFile
from rootflow.dataset.weights import normalisation
from rootflow.ntuple import (
    BranchMap,
    OpenTree,
    features_of,
    load_branch_map,
    read_chunks,
    read_entries,
)
from rootflow.ntuple.branch_map import Truth
from rootflow.ntuple.selection import select_indexed, select_located


def plans(config: DataConfig, files: Mapping[str, Sequence[Path]]) -> list[Plan]:
    """Return the plan of each sample.

    Raises
    ------
    UsageError
        There is no such branch map.
    """
    branch_map = load_branch_map(config.branch_map)

    def read(path: Path) -> Iterator[Part]:
        first = 0
        for chunk in read_chunks(path, branch_map):
            selected, kept, _ = select_indexed(chunk, config.selection, config.max_jets)
            content = content_of(chunk.identity, (chunk.jets, chunk.leptons), chunk.met)
            read_events = ReadEvents(chunk.identity, content, chunk.weight, selected.passed)
            yield Part(selected.arrays, read_events, selected.cutflow, first + kept)
            first += len(chunk)

    def normalise(read_files: Sequence[ReadFile]) -> Normalisation | None:
        sums = (file.sum_of_weights for file in read_files)
        return normalisation(config.weights, sum(sums))

    return [
        Plan(
            name=name,
            label=None,
            title=name,
            files=of_sample,
            branch_map=config.branch_map,
            identity=branch_map,
            repeated_events=config.repeated_events or "refuse",
            are_collisions=False,
            question={"branch_map": _question(branch_map)},
            features=features_of(branch_map),
            read=read,
            normalise=normalise,
        )
        for name, of_sample in files.items()
    ]


class Entries(NamedTuple):
    """What is selected of n entries of a tree.

    Attributes
    ----------
    events
        The k selected events, as collisions are: of weight 1, without truth.
    selected
        (n,) bool, which entries these are.
    jet_places
        (k, max_jets) int32, where the jet of each slot is among those that the ntuple has of
        the event, -1 where the slot has none.
    """

    events: Events
    selected: NDArray[np.bool_]
    jet_places: NDArray[np.int32]


def as_of_collisions(branch_map: BranchMap) -> BranchMap:
    """Return what a map says of quantities that collisions have, too."""
    beside = {"truth": Truth(), "weights": [], "systematic_weights": {}, "neutrinos": None}
    return branch_map.model_copy(update=beside)


def entries(
    tree: OpenTree,
    branch_map: BranchMap,
    selection: SelectionConfig,
    max_jets: int,
    folds: FoldingConfig,
    start: int,
    stop: int,
) -> Entries:
    """Return what is selected of the entries of a tree from start to before stop.

    Parameters
    ----------
    branch_map
        As `as_of_collisions` gives it: neither weights nor truth are read nor cut on.

    Raises
    ------
    InputError
        Something is wrong with the file or with what it holds.
    """
    chunk = read_entries(tree, branch_map, start, stop)
    chosen = select_located(chunk, selection, max_jets)
    events = loose_events(features_of(branch_map), chosen.arrays, folds)
    selected = np.zeros(len(chunk), dtype=np.bool_)
    selected[chosen.kept] = True
    return Entries(events, selected, chosen.jet_places)


def _question(branch_map: BranchMap) -> dict[str, Any]:
    """Return what the map says; what came to maps later is left out where it says nothing."""
    said = branch_map.model_dump(mode="json")
    later = [(said, name) for name in ("identity", "fold_number", "may_lack")]
    later += [(said, "neutrinos"), (said, "systematic_weights"), (said["truth"], "leptons")]
    for part, name in later:
        if not part[name]:
            del part[name]
    return said
