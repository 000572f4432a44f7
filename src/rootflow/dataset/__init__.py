"""Canonical arrays on disk: folds, weights, manifest."""

from rootflow.dataset.build import build
from rootflow.dataset.dataset import Dataset, open_dataset
from rootflow.dataset.digest import digest
from rootflow.dataset.events import Events, Features

__all__ = [
    "Dataset",
    "Events",
    "Features",
    "build",
    "digest",
    "open_dataset",
]
