"""Small ntuples of four-lepton events to read."""

from pathlib import Path

import pytest

from four_lepton_ntuples import read_mini
from ntuples import Branches


@pytest.fixture(scope="session")
def mini(h4l_files: dict[str, list[Path]]) -> Branches:
    """Branches of 600 simulated ZZ events."""
    return read_mini(h4l_files["ZZ"][0], 600)
