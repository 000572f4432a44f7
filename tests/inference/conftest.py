"""A small ntuple to apply networks of ttbar to."""

from pathlib import Path

import pytest

from ntuples import Branches, read_branches, write_ntuple

EVENTS = 1500


@pytest.fixture(scope="session")
def branches(ttbar_files: list[Path]) -> Branches:
    """Return the first events of the shipped sample."""
    return read_branches(ttbar_files[0], EVENTS)


@pytest.fixture(scope="session")
def ntuple(branches: Branches, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_ntuple(tmp_path_factory.mktemp("ntuple") / "small.root", branches)
