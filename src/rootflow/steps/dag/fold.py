"""A training as a job that is brought its dataset, and brings its model home."""

import shutil
from pathlib import Path

from rootflow.config import load
from rootflow.dataset import open_dataset
from rootflow.files import alone_in
from rootflow.training.fitting import fit
from rootflow.training.record import RECORD

FIT, TRAINING = "rootflow.steps.dag.fold:fit_fold", "training"


def fit_fold(config: str, dataset: str, held_out: int) -> None:
    """Train with a fold held out, in a folder of the working directory: what a job does."""
    settings = load(Path(config))
    (folds,) = (each for each in settings.data.folds.in_turn() if each.held_out == held_out)
    fit(open_dataset(Path(dataset)), settings, Path(TRAINING), lambda *_: None, folds)


def bring_home(job: Path, directory: Path) -> None:
    """Put the training that a job has left in its folder where one made here would be."""
    left = job / TRAINING
    if not (left / RECORD).exists():
        return
    with alone_in(directory):
        if not (directory / RECORD).exists():
            # The record last: where it is, the training is finished.
            for path in sorted(left.iterdir(), key=lambda path: path.name == RECORD):
                shutil.move(path, directory / path.name)
