"""Small ntuples, and the dataset of a whole sample."""

from pathlib import Path

import pytest

from four_lepton_ntuples import read_mini
from ntuples import Branches, write_ntuple
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import Dataset
from small_datasets import build


@pytest.fixture(scope="session")
def ntuple(branches: Branches, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 real events."""
    return write_ntuple(tmp_path_factory.mktemp("ntuple") / "small.root", branches)


@pytest.fixture
def config() -> DileptonDataConfig:
    """Return the settings that stand in the file that comes with rootflow."""
    return DileptonDataConfig.model_validate({"weights": {"negative": "keep"}})


@pytest.fixture(scope="session")
def ttbar_dataset(ttbar_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The dataset of 20,000 simulated events."""
    config = DileptonDataConfig.model_validate({"weights": {"negative": "keep"}})
    return build(config, {"ttbar": ttbar_files}, tmp_path_factory.mktemp("ttbar"))


@pytest.fixture(scope="session")
def mini(h4l_files: dict[str, list[Path]]) -> Branches:
    """Branches of 600 simulated ZZ events."""
    return read_mini(h4l_files["ZZ"][0], 600)
