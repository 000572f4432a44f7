"""Four-lepton events of a file, chunk by chunk, without a dataset."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import FoldingConfig
from rootflow.config.samples import FourLeptonSelectionConfig
from rootflow.dataset.events import Events
from rootflow.dataset.loose import loose_events
from rootflow.ntuple import OpenTree
from rootflow.ntuple.four_leptons import (
    Chunk,
    FourLeptonMap,
    Wanted,
    features_of,
    load_four_lepton_map,
    quantities_for,
    read_chunks,
    read_entries,
    select,
)


def chunks(
    path: Path,
    branch_map: str,
    selection: FourLeptonSelectionConfig | None = None,
    folds: FoldingConfig | None = None,
) -> Iterator[tuple[Events, NDArray[np.bool_]]]:
    """Yield the selected events of one file in its order, and which of its events these are.

    The events have weight 1, file_index 0 and neither sample nor label: weights are not
    read, so collisions are read as simulation is.

    Parameters
    ----------
    branch_map
        Name of a shipped map, or path of one.
    selection
        None: every event that has four leptons; of more the leading in pT.
    folds
        How to fill `fold`; none: as the configuration has it where it says nothing.

    Yields
    ------
    events
        The selected events of a chunk, (k,) of them, maybe none.
    selected
        (n,) bool for all events of the chunk, k times True.

    Raises
    ------
    InputError
        Something is wrong with the file or with what it holds.
    UsageError
        There is no such branch map, or it does not name what a cut needs.
    """
    four_lepton_map = load_four_lepton_map(branch_map)
    quantities = quantities_for(selection, four_lepton_map, branch_map)
    for chunk in read_chunks(path, four_lepton_map, Wanted(quantities)):
        yield _selected(chunk, four_lepton_map, selection, folds or FoldingConfig())


def entries(
    tree: OpenTree,
    branch_map: FourLeptonMap,
    quantities: tuple[str, ...],
    selection: FourLeptonSelectionConfig,
    folds: FoldingConfig,
    start: int,
    stop: int,
) -> tuple[Events, NDArray[np.bool_]]:
    """Return what `chunks` yields, of the entries of a tree from start to before stop.

    Parameters
    ----------
    quantities
        What the selection needs, as `rootflow.ntuple.four_leptons.quantities_for` says it.

    Raises
    ------
    InputError
        Something is wrong with the file or with what it holds.
    """
    chunk = read_entries(tree, branch_map, Wanted(quantities), start, stop)
    return _selected(chunk, branch_map, selection, folds)


def _selected(
    chunk: Chunk,
    branch_map: FourLeptonMap,
    selection: FourLeptonSelectionConfig | None,
    folds: FoldingConfig,
) -> tuple[Events, NDArray[np.bool_]]:
    selected = select(chunk, selection)
    return loose_events(features_of(branch_map), selected.arrays, folds), selected.mask
