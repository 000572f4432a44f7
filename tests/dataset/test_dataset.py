import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rootflow.checksum import KEY, sealed_json
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import open_dataset
from rootflow.dataset.manifest import DATASET_VERSION
from rootflow.errors import InputError
from small_datasets import build


@pytest.fixture(scope="module")
def pristine(ntuple: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = DileptonDataConfig.model_validate({"weights": {"negative": "keep"}})
    return build(config, {"ttbar": [ntuple]}, tmp_path_factory.mktemp("pristine")).path


@pytest.fixture
def path(pristine: Path, tmp_path: Path) -> Path:
    """Return a dataset that a test may damage."""
    return Path(shutil.copytree(pristine, tmp_path / pristine.name))


def _refused(path: Path, message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        open_dataset(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)


def _rewrite_manifest(path: Path, **changes: Any) -> None:
    manifest = path / "manifest.json"
    said = {**json.loads(manifest.read_text()), **changes}
    manifest.write_bytes(sealed_json(json.dumps({n: v for n, v in said.items() if n != KEY})))


def test_slices_are_views_of_the_files(path: Path) -> None:
    dataset = open_dataset(path)
    part = dataset.events(slice(10, 20))
    assert len(part) == 10
    assert isinstance(part.jets, np.memmap)
    assert np.shares_memory(part.jets, dataset.events().jets)
    assert not part.jets.flags.writeable


def test_events_at_places_are_those(path: Path) -> None:
    dataset = open_dataset(path)
    index = np.array([7, 3, 3, 300])
    events = dataset.events(index)
    for name, array in dataset.events().arrays().items():
        np.testing.assert_array_equal(events.arrays()[name], array[index])
    assert len(dataset) == 400
    assert events.features == dataset.features


def test_an_older_version_says_both_and_what_to_do(path: Path) -> None:
    _rewrite_manifest(path, dataset_version=DATASET_VERSION - 1)
    _refused(
        path,
        f"dataset of version {DATASET_VERSION - 1}, this rootflow reads version "
        f"{DATASET_VERSION}: remove {path} and run preprocess again",
    )


def test_an_older_version_with_other_keys_is_still_recognised(path: Path) -> None:
    (path / "manifest.json").write_text('{"dataset_version": 0, "columns": []}')
    _refused(path, "dataset of version 0")


def test_a_missing_manifest(path: Path) -> None:
    (path / "manifest.json").unlink()
    _refused(path, r"not a dataset: cannot read its manifest\.json")


def test_a_missing_directory(tmp_path: Path) -> None:
    _refused(tmp_path / "none", "not a dataset")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_manifest(path: Path, share: float) -> None:
    manifest = path / "manifest.json"
    text = manifest.read_text()
    manifest.write_text(text[: int(share * len(text))])
    _refused(path, r"manifest is damaged.*run preprocess again")


def test_a_manifest_that_lacks_something(path: Path) -> None:
    _rewrite_manifest(path, samples=None)
    _refused(path, r"manifest is damaged \(samples: Input should be a valid array\)")


@pytest.mark.parametrize("name", ["jets", "event", "fold"])
def test_a_missing_array(path: Path, name: str) -> None:
    (path / f"{name}.npy").unlink()
    _refused(path, rf"{name}\.npy: cannot read the array.*run preprocess again")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_array(path: Path, share: float) -> None:
    array = path / "jets.npy"
    content = array.read_bytes()
    array.write_bytes(content[: int(share * len(content))])
    _refused(path, r"jets\.npy: the array is truncated or damaged.*run preprocess again")


def test_an_array_of_another_shape(path: Path) -> None:
    np.save(path / "weight.npy", np.ones(399))
    _refused(path, r"weight\.npy: the array is .*399.*the manifest says .*400")
