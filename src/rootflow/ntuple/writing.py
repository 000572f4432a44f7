"""Writing ROOT files: events as an ntuple to look at, and histograms."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

TREE = "events"


def write_tree(
    path: Path, chunks: Iterable[Mapping[str, Any]], notes: Mapping[str, str] | None = None
) -> None:
    """Write columns to the tree `events` of a new ROOT file, chunk by chunk, and notes beside it.

    A record array of jagged lists becomes a counter and one branch for each field. Integers of 8
    bits, which ROOT takes for characters, become such of 32 bits.
    """
    with uproot.recreate(path) as file:
        for name, text in (notes or {}).items():
            file[name] = text
        tree = None
        for given in chunks:
            chunk = {name: _as_number(column) for name, column in given.items()}
            if tree is None:
                tree = file.mktree(
                    TREE, {name: ak.type(column).content for name, column in chunk.items()}
                )
            tree.extend(chunk)


def _as_number(column: Any) -> Any:
    characters = isinstance(column, np.ndarray) and column.dtype in (np.int8, np.uint8)
    return column.astype(np.int32) if characters else column


def write_histograms(path: Path, histograms: Mapping[str, Any]) -> None:
    """Write histograms of `hist` to a new ROOT file, by their names; `/` makes directories."""
    with uproot.recreate(path) as file:
        for name, histogram in histograms.items():
            file[name] = histogram
