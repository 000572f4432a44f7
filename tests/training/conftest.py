"""Small datasets and quick settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rootflow.config import TtbarConfig
from rootflow.dataset import Dataset, build, open_dataset
from rootflow.dataset.events import Events
from rootflow.dataset.manifest import MANIFEST, Array

MakeDataset = Callable[[Events], Dataset]
MakeConfig = Callable[..., TtbarConfig]


def settings(**training: Any) -> dict[str, Any]:
    """Return a configuration whose training is a matter of seconds."""
    return {
        "analysis": "ttbar",
        "data": {"weights": {"negative": "keep"}},
        "model": {"architecture": "feed_forward", "width": 16, "depth": 1, "dropout": 0.2},
        "training": {"epochs": 3, "batch_size": 128, **training},
    }


@pytest.fixture(scope="session")
def make_config() -> MakeConfig:
    """Return a function of settings of the training to a quick configuration."""

    def make(model: dict[str, Any] | None = None, **training: Any) -> TtbarConfig:
        quick = settings(**training)
        quick["model"] |= model or {}
        return TtbarConfig.model_validate(quick)

    return make


@pytest.fixture(scope="session")
def real_dataset(shared_ttbar: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Return the dataset of one file of simulated ttbar."""
    config = TtbarConfig.model_validate(settings()).data
    return build(config, {"ttbar": shared_ttbar[:1]}, tmp_path_factory.mktemp("datasets"))


@pytest.fixture(scope="session")
def make_dataset(real_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> MakeDataset:
    """Return a function that writes events as a dataset."""

    def make(events: Events) -> Dataset:
        directory = tmp_path_factory.mktemp("dataset")
        arrays = {}
        for name, array in events.arrays().items():
            np.save(directory / f"{name}.npy", array)
            arrays[name] = Array(dtype=array.dtype.str, shape=array.shape)
        changes = {"events": len(events), "arrays": arrays, "digest": directory.name}
        manifest = real_dataset.manifest.model_copy(update=changes)
        (directory / MANIFEST).write_text(manifest.model_dump_json())
        return open_dataset(directory)

    return make


@pytest.fixture(scope="session")
def few_events(real_dataset: Dataset) -> Events:
    """Return 600 events of simulated ttbar."""
    return real_dataset.events(slice(0, 600))


@pytest.fixture(scope="session")
def small_dataset(make_dataset: MakeDataset, few_events: Events) -> Dataset:
    """Return a dataset of 600 events."""
    return make_dataset(few_events)
