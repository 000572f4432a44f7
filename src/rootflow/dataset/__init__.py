"""Canonical arrays on disk: folds, weights, manifest."""

from rootflow.dataset.build import build
from rootflow.dataset.dataset import Dataset, open_dataset
from rootflow.dataset.digest import digest
from rootflow.dataset.events import Events, Features
from rootflow.dataset.manifest import DATASET_VERSION, Manifest

__all__ = [
    "DATASET_VERSION",
    "Dataset",
    "Events",
    "Features",
    "Manifest",
    "build",
    "digest",
    "open_dataset",
]
