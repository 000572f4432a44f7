"""Each setting of the data off its default: another dataset, with other events in it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from other_values import PREPROCESS
from rootflow.dataset import Dataset
from rootflow.errors import InputError
from small_configurations import dataset_of, few

CASES = [(analysis, path) for analysis, others in PREPROCESS.items() for path in others]
# What another value leaves as it is, by its name.
SAME_DATASET = ("data.copies", "data.workers")
# The sample of which one is changed, and the collection.
SAMPLE = {"ttbar": "ttbar", "h4l": "VBFH", "dilepton": "ww"}
COLLECTION = {"ttbar": "jets", "h4l": "leptons", "dilepton": "jets"}


def named(analysis: str, path: str) -> str:
    """Return the path of a setting of samples or collections in one of them."""
    for several, one in (("data.samples.", SAMPLE), ("data.objects.", COLLECTION)):
        if path.startswith(several):
            return f"{several}{one[analysis]}.{path.removeprefix(several)}"
    return path


def content(dataset: Dataset) -> tuple[Any, ...]:
    """Return what there is in a dataset, and beside it, whatever its name."""
    arrays = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(dataset.path.glob("*.npy"))
    }
    samples = [(each.name, each.label, each.title) for each in dataset.manifest.samples]
    copies = sorted(path.suffix for path in dataset.path.parent.glob(f"{dataset.path.name}.*"))
    return arrays, samples, copies


@pytest.fixture(scope="module")
def contents() -> dict[str, tuple[Any, ...]]:
    return {}


@pytest.mark.parametrize(("analysis", "path"), CASES)
def test_other_value_makes_another_dataset(
    analysis: str,
    path: str,
    samples: Path,
    tmp_path: Path,
    contents: dict[str, tuple[str, tuple[Any, ...]]],
) -> None:
    other = PREPROCESS[analysis][path]
    given = {named(analysis, each): value for each, value in other.given.items()}
    if other.allows:
        with pytest.raises(InputError):
            dataset_of(few(analysis, samples, given), tmp_path / "before")
        dataset_of(few(analysis, samples, {**given, named(analysis, path): other.value}), tmp_path)
        return
    known = f"{analysis} {given}"
    if known not in contents:
        before = dataset_of(few(analysis, samples, given), tmp_path / "before")
        contents[known] = before.manifest.digest, content(before)
    values: Mapping[str, Any] = {**given, named(analysis, path): other.value}
    after = dataset_of(few(analysis, samples, values), tmp_path / "after")
    digest, before_content = contents[known]
    assert (after.manifest.digest != digest) == (path not in SAME_DATASET)
    assert (content(after) != before_content) == other.decides
