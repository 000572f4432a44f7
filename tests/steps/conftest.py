from pathlib import Path

import pytest

from ntuples import read_branches, write_ntuple

EVENTS = 1500


@pytest.fixture(scope="session")
def small_ntuple(shared_ttbar: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a ROOT file with the first events of the shared sample."""
    path = tmp_path_factory.mktemp("ntuple") / "small.root"
    return write_ntuple(path, read_branches(shared_ttbar[0], EVENTS))
