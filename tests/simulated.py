"""Simulated samples on disk, for tests."""

from collections.abc import Sequence
from pathlib import Path

import awkward as ak
import uproot


def read_events(files: Sequence[Path], tree: str) -> ak.Array:
    """Return all branches of all files' events."""
    return uproot.concatenate([f"{path}:{tree}" for path in files])


def assert_same_events(files: Sequence[Path], others: Sequence[Path], tree: str) -> None:
    """Fail where one branch of one event differs."""
    events, other_events = read_events(files, tree), read_events(others, tree)
    assert events.fields == other_events.fields
    for branch in events.fields:
        assert ak.array_equal(events[branch], other_events[branch]), branch
