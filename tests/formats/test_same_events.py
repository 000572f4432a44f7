"""The same events of any format make the same dataset."""

from pathlib import Path

import numpy as np
import pytest

from ntuples import Branches, read_branches
from other_formats import FORMATS
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import Dataset
from small_datasets import build

DATA = Path(__file__).parents[2] / "data" / "ttbar" / "ttbar_s42_000.root"
# What the layouts do not hold of these events.
NOT_THERE = {"Delphes": {"tops"}, "SPANet": {"tops", "true_leptons"}}
# What is made of masses there, in place of energies.
ROUNDED = {"NanoAOD": {"jets", "leptons", "tops"}}
# A cut that all events pass.
OF_MAPS = {"branch map: where"}
# Who events are, beside their numbers.
THERE = {"NanoAOD": {"identity"}}


@pytest.fixture(scope="module")
def all_branches() -> Branches:
    return read_branches(DATA)


def _dataset(name: str, branches: Branches, folder: Path) -> Dataset:
    format_ = FORMATS[name]
    path = format_.write(folder / f"events{format_.suffix}", branches)
    config = DileptonDataConfig.model_validate(
        {"weights": {"negative": "keep"}, "branch_map": format_.branch_map(folder)}
    )
    return build(config, {"ttbar": [path]}, folder)


@pytest.fixture(scope="module")
def of_tree(all_branches: Branches, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return _dataset("TTree", all_branches, tmp_path_factory.mktemp("tree"))


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "TTree"])
def test_every_array_is_the_same_bit_for_bit(
    name: str, all_branches: Branches, of_tree: Dataset, tmp_path: Path
) -> None:
    other = _dataset(name, all_branches, tmp_path)
    cutflow = [cut for cut in other.manifest.samples[0].cutflow if cut.name not in OF_MAPS]
    assert tuple(cutflow) == of_tree.manifest.samples[0].cutflow
    expected = {*of_tree.manifest.arrays} - NOT_THERE.get(name, set())
    assert {*other.manifest.arrays} == expected | THERE.get(name, set())
    for array in expected - ROUNDED.get(name, set()):
        sha256 = of_tree.manifest.arrays[array].sha256
        assert other.manifest.arrays[array].sha256 == sha256, array
    for array in ROUNDED.get(name, ()):
        one, same = (np.load(dataset.path / f"{array}.npy") for dataset in (of_tree, other))
        # A momentum is as near as float32 is to its largest component.
        assert np.abs(one - same).max() <= 1e-6 * np.abs(one).max(), array
