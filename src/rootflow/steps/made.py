"""What the steps have made of a configuration, for those who go on with it in Python."""

from pathlib import Path

from rootflow.config import Config
from rootflow.dataset import Dataset, open_dataset
from rootflow.errors import UsageError
from rootflow.steps.preprocess import directory_of
from rootflow.steps.train import directories_of
from rootflow.training.record import RECORD


def dataset_of(config: Config) -> Dataset:
    """Return the dataset that `rootflow preprocess` has made, however many others there are."""
    path = directory_of(config, None)
    if not path.exists():
        raise UsageError(f"{path}: not made yet: run `rootflow preprocess` first")
    return open_dataset(path)


def trainings_of(config: Config) -> list[Path]:
    """Return the folder of the training of each held-out fold, in their order."""
    directories = directories_of(config, dataset_of(config))
    for directory in directories:
        if not (directory / RECORD).exists():
            raise UsageError(f"{directory}: not trained yet: run `rootflow train` first")
    return directories
