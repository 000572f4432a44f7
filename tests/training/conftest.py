"""Small datasets and quick settings."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rootflow.analyses.h4l import INPUTS, H4lConfig
from rootflow.analyses.ttbar import TtbarConfig
from rootflow.config import FoldingConfig
from rootflow.dataset import Dataset, open_dataset
from rootflow.dataset.digest import Contents
from rootflow.dataset.events import Events
from rootflow.dataset.manifest import DATASET_VERSION, Array, Manifest, write_manifest
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.ntuple import Feature
from rootflow.sources import code_digest
from small_datasets import build
from toy_four_leptons import H4L_UNITS, toy_four_leptons

MakeDataset = Callable[..., Dataset]
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
def real_dataset(ttbar_files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Return the dataset of the shipped sample of ttbar."""
    config = TtbarConfig.model_validate(settings()).data
    return build(config, {"ttbar": ttbar_files}, tmp_path_factory.mktemp("datasets"))


@pytest.fixture(scope="session")
def make_dataset(real_dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> MakeDataset:
    """Return a function that writes events as a dataset."""

    def make(events: Events) -> Dataset:
        directory = tmp_path_factory.mktemp("dataset")
        changes = {
            "events": len(events),
            "arrays": _save(events, directory),
            "digest": directory.name,
        }
        manifest = real_dataset.manifest.model_copy(update=changes)
        write_manifest(manifest, directory)
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


@pytest.fixture(scope="session")
def make_labelled_dataset(tmp_path_factory: pytest.TempPathFactory) -> MakeDataset:
    """Return a function that writes four-lepton events as a dataset."""

    def make(events: Events, classes: tuple[str, ...] = ("background", "signal")) -> Dataset:
        directory = tmp_path_factory.mktemp("labelled")
        features = {
            collection: tuple(
                Feature(name=name, unit=H4L_UNITS[collection][name], branches=()) for name in names
            )
            for collection, names in events.features.items()
        }
        manifest = Manifest(
            dataset_version=DATASET_VERSION,
            rootflow_version="0",
            digest=directory.name,
            code=code_digest("h4l", "dataset"),
            simulation_digest=directory.name,
            events=len(events),
            features=features,
            arrays=_save(events, directory),
            samples=(),
            event_numbers_in_several_files=0,
            classes=classes,
            read_by=FourLeptons(selection=None).kind,
            reading={},
            sum_of_weights=float(events.weight.sum()),
            folds=FoldingConfig(count=5, scheme="hash"),
        )
        write_manifest(manifest, directory)
        return open_dataset(directory)

    return make


@pytest.fixture(scope="session")
def four_leptons() -> Events:
    """Return 900 generated events, a third of them data."""
    return toy_four_leptons(900, labels=(0, 1, -1))


@pytest.fixture(scope="session")
def labelled_dataset(make_labelled_dataset: MakeDataset, four_leptons: Events) -> Dataset:
    """Return a dataset of them."""
    return make_labelled_dataset(four_leptons)


@pytest.fixture(scope="session")
def make_h4l_config() -> Callable[..., H4lConfig]:
    """Return a function of a model and settings of the training to a quick configuration."""

    def make(
        model: dict[str, Any] | None = None,
        weights: dict[str, Any] | None = None,
        inputs: dict[str, list[str]] | None = None,
        **training: Any,
    ) -> H4lConfig:
        quick = {"architecture": "feed_forward", "width": 16, "depth": 1, "batch_norm": True}
        return H4lConfig.model_validate(
            {
                "analysis": "h4l",
                "data": {
                    "samples": {"signal": {"label": "signal"}, "rest": {"label": "background"}},
                    "weights": {"negative": "keep", "luminosity_fb_inverse": 10, **(weights or {})},
                },
                "inputs": INPUTS | (inputs or {}),
                "model": model or quick,
                "training": {"epochs": 3, "batch_size": 128, **training},
            }
        )

    return make


def _save(events: Events, directory: Path) -> dict[str, Array]:
    arrays = {}
    for name, array in events.arrays().items():
        np.save(directory / f"{name}.npy", array)
        arrays[name] = Array(
            dtype=array.dtype.str,
            shape=array.shape,
            sha256=Contents().sha256_of(directory / f"{name}.npy"),
        )
    return arrays
