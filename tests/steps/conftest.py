from pathlib import Path

import pytest

from ntuples import read_branches, write_ntuple

EVENTS = 1500


@pytest.fixture(scope="session")
def small_ntuple(ttbar_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ROOT file with the first events of the shipped sample."""
    path = tmp_path_factory.mktemp("ntuple") / "small.root"
    return write_ntuple(path, read_branches(ttbar_files[0], EVENTS))
