"""Dataset to a fitted network."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rootflow.config import Config, digest_of
from rootflow.dataset import Dataset
from rootflow.steps import preprocess
from rootflow.steps.result import StepResult
from rootflow.steps.sources import source_digest
from rootflow.tracking import Run, find_run, start_run
from rootflow.training import Training, fit


class Trained(NamedTuple):
    """A finished training, the dataset it saw, and the digest that names the two."""

    training: Training
    dataset: Dataset
    digest: str


def run(config: Config, parent: Run | None = None) -> StepResult:
    """Train, or go on with a training that was interrupted, and log every epoch."""
    with start_run(config, "train", parent) as run:
        dataset = preprocess.ensure(config, run)
        preprocess.log_dataset(run, dataset)
        name = _digest(config, dataset)
        run.set_tags({"rootflow.training": name})

        def log_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
            run.log_metrics(metrics, step=epoch)

        training = fit(dataset, config, _directory(config, name), log_epoch)
        _log(run, training)
        facts = {
            "model": str(training.model_path),
            "epochs": len(training.history),
            **training.facts,
        }
        return StepResult("train", run.run_id, facts)


def ensure(config: Config, parent: Run) -> Trained:
    """Return the training, made by a run below `parent` where it is not finished yet."""
    dataset = preprocess.ensure(config, parent)
    name = _digest(config, dataset)
    directory = _directory(config, name)
    if not (directory / "training.json").exists():
        run(config, parent)
    training = fit(dataset, config, directory, lambda *_: None)
    source = find_run(
        parent.client,
        parent.experiment_id,
        {"rootflow.step": "train", "rootflow.training": name},
    )
    parent.set_tags({"rootflow.training": name, "rootflow.source.train": source or "unknown"})
    return Trained(training, dataset, name)


def _digest(config: Config, dataset: Dataset) -> str:
    """Name everything that decides the weights of the network: settings, data and code."""
    question = {
        "dataset": dataset.digest,
        "seed": config.seed,
        "held_out": config.data.folds.held_out,
        "weights": config.data.weights.model_dump(mode="json"),
        "model": config.model.model_dump(mode="json"),
        "training": config.training.model_dump(mode="json"),
        "code": source_digest("models", "training"),
    }
    return digest_of(question)


def _directory(config: Config, name: str) -> Path:
    return config.output / "trainings" / name


def _log(run: Run, training: Training) -> None:
    from rootflow.evaluation import draw_history

    numbers = {k: v for k, v in training.facts.items() if isinstance(v, int | float)}
    run.log_metrics(numbers)
    run.log_file(training.model_path)
    figure = training.model_path.with_name("history.png")
    draw_history(training.history, figure)
    run.log_figures([figure])
