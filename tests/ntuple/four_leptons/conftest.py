"""Small ntuples of four-lepton events to read."""

from pathlib import Path

import pytest

from four_lepton_ntuples import read_mini
from ntuples import Branches


@pytest.fixture(scope="session")
def mini(shared_h4l: dict[str, list[Path]]) -> Branches:
    """Branches of 600 simulated ZZ events."""
    return read_mini(shared_h4l["ZZ"][0], 600)
