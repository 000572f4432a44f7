"""A tree of few types."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot


@pytest.fixture
def tree_file(tmp_path: Path) -> Path:
    """Return a file with baskets of 10, 20 and 30 entries."""
    path = tmp_path / "in.root"
    with uproot.recreate(path) as file:
        tree = file.mktree(
            "t", {"x": "int32", "fixed": "3 * float64", "lists": "var * float32", "flag": "bool"}
        )
        for count in (10, 20, 30):
            number = np.arange(count)
            tree.extend(
                {
                    "x": number.astype(np.int32),
                    "fixed": np.stack([number] * 3, 1).astype(np.float64),
                    "lists": ak.Array([[float(i)] * (i % 4) for i in number]),
                    "flag": number % 2 == 0,
                }
            )
    return path
