"""Small ntuples to read."""

from pathlib import Path

import pytest

from ntuples import Branches, read_branches


@pytest.fixture(scope="session")
def branches(shared_ttbar: list[Path]) -> Branches:
    """Branches of 400 real events."""
    return read_branches(shared_ttbar[0], 400)


@pytest.fixture(scope="session")
def shared_open_data() -> Path:
    """A simulated file with the branches of the ATLAS Open Data."""
    return Path(__file__).parents[3] / "shared" / "data" / "hzz4l" / "ZZ_s22_w0.root"
