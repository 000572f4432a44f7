"""Dataset to a fitted network."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rootflow.config import TtbarConfig, digest_of
from rootflow.dataset import Dataset
from rootflow.steps import preprocess
from rootflow.steps.result import StepResult
from rootflow.steps.sources import source_digest
from rootflow.tracking import Run, start_run
from rootflow.training import RECORD, Training, fit, question

TAG = "rootflow.training"


class Trained(NamedTuple):
    """A finished training, the dataset it saw, the digest that names the two, and its run.

    `run_id` is None where this tracking server does not know the run.
    """

    training: Training
    dataset: Dataset
    digest: str
    run_id: str | None


def run(config: TtbarConfig, parent: Run | None = None) -> StepResult:
    """Train, or go on with a training that was interrupted, and log every epoch."""
    with start_run(config, "train", parent) as run:
        dataset = preprocess.ensure(config, run)
        name = _digest(config, dataset)
        run.set_tags({TAG: name})

        def log_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
            run.log_metrics(metrics, step=epoch)

        training = fit(dataset, config, _directory(config, name), log_epoch)
        _log(run, training)
        best = training.history[int(training.facts["best_epoch"])]
        facts = {"model": str(training.model_path), **training.facts, **best}
        return StepResult("train", run.run_id, facts, metrics=best)


def ensure(config: TtbarConfig, parent: Run) -> Trained:
    """Return the training, made by a run below `parent` where it is not finished yet."""
    dataset = preprocess.ensure(config, parent)
    name = _digest(config, dataset)
    directory = _directory(config, name)
    if not (directory / RECORD).exists():
        run(config, parent)
    training = fit(dataset, config, directory, lambda *_: None)
    source = parent.log_source("train", TAG, name)
    parent.set_tags({TAG: name})
    return Trained(training, dataset, name, source)


def _digest(config: TtbarConfig, dataset: Dataset) -> str:
    """Name everything that decides the weights of the network: the code, too."""
    return digest_of(
        [question(dataset.digest, config), source_digest("dataset", "models", "training")]
    )


def _directory(config: TtbarConfig, name: str) -> Path:
    return config.output / "trainings" / name


def _log(run: Run, training: Training) -> None:
    from rootflow.evaluation import draw_history

    numbers = {k: v for k, v in training.facts.items() if isinstance(v, int | float)}
    run.log_metrics(numbers)
    run.log_file(training.model_path)
    figure = training.model_path.with_name("history.png")
    draw_history(training.history, figure)
    run.log_figures([figure])
