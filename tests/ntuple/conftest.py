"""Small ntuples to read."""

from pathlib import Path

import pytest

from ntuples import Branches, read_branches


@pytest.fixture(scope="session")
def branches(ttbar_files: list[Path]) -> Branches:
    """Branches of 400 real events."""
    return read_branches(ttbar_files[0], 400)
