"""Dataset to fitted models, one for each fold that is held out."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rootflow import __version__
from rootflow.analysis import Answer
from rootflow.config import BoostedTreesConfig, Config, FoldsConfig, digest_of
from rootflow.dataset import Dataset
from rootflow.errors import UsageError
from rootflow.sources import code_digest
from rootflow.steps import preprocess
from rootflow.steps.result import StepResult, date_of, say_found
from rootflow.tracking import Run, start_run
from rootflow.tracking.system import SystemMetrics
from rootflow.training.devices import require_gpus
from rootflow.training.fitting import Training, fit, question
from rootflow.training.record import RECORD, Fact

TAG = "rootflow.training"
# Of the best epoch of each fold, as far as the model has them: what a table of folds shows.
QUALITY = (
    "best_validation_loss",
    "best_validation_auc",
    "best_validation_assignment_accuracy",
)
# Behind the name of a mean over folds: its standard error, by how the folds differ.
OVER_FOLDS = "_error_over_folds"
# The same for every fold.
PARAMETERS = "parameters"
# What a network was trained on.
DEVICE = "device"
# Told the fold that is held out, the epoch and its metrics.
OnEpoch = Callable[[int, int, Mapping[str, float]], None]


class Trained(NamedTuple):
    """Finished trainings, one for each held-out fold, dataset, digest, and run where known."""

    trainings: list[Training]
    dataset: Dataset
    digest: str
    run_id: str | None


def run(
    config: Config, parent: Run | None = None, on_epoch: OnEpoch = lambda *_: None
) -> StepResult:
    """Train, or go on with what was interrupted, and log every epoch.

    Where several folds are held out, each in its turn, each training is a run of its own
    below this one.
    """
    require_gpus()
    with start_run(config, "train", parent) as run:
        return run_in(run, config, on_epoch)


def run_in(
    run: Run, config: Config, on_epoch: OnEpoch = lambda *_: None, *, by_jobs: bool = False
) -> StepResult:
    """Train in a run that is open; folds that were trained `by_jobs` have their runs already."""
    dataset = preprocess.ensure(config, run)
    every, directories = config.data.folds.in_turn(), directories_of(config, dataset)
    run.set_tags({TAG: _digest(directories)})
    _say_found(directories)
    if len(every) == 1:
        training = _fit(config, dataset, every[0], directories[0], run, on_epoch)
        facts = {"model": str(training.model_path), **training.facts}
        return StepResult("train", run.run_id, facts, metrics=_numbers(training.facts))
    trainings = [
        fit(dataset, config, directory, lambda *_: None, folds)
        if by_jobs and (directory / RECORD).exists()
        else _fit_below(run, config, dataset, folds, directory, on_epoch)
        for folds, directory in zip(every, directories, strict=True)
    ]
    metrics = _means(trainings)
    run.log_metrics(metrics)
    _log_histories(run, trainings, config.output / "figures" / f"{run.run_id}-histories.png")
    models = [str(training.model_path) for training in trainings]
    tables = {"folds": _rows(trainings)}
    return StepResult("train", run.run_id, {"models": models, **metrics}, tables, metrics)


def run_fold(run: Run, config: Config, held_out: int) -> None:
    """Train with one of several held-out folds, in a run below that of all of them."""
    dataset = preprocess.made(config, run)
    directory = directories_of(config, dataset)[held_out]
    folds = config.data.folds.in_turn()[held_out]
    _fit_below(run, config, dataset, folds, directory, lambda *_: None)


def ensure(config: Config, parent: Run, wanted: str | None = None) -> Trained:
    """Return the trainings, made by a run below `parent` where they are not finished yet.

    `wanted` is the digest of the only trainings that will do.
    """
    dataset = preprocess.ensure(config, parent)
    directories = directories_of(config, dataset)
    name = _digest(directories)
    if wanted not in (None, name):
        raise UsageError(
            f"training {wanted} is not what would be trained now: the ntuples, the code that "
            "makes the dataset or trains, or the version of a library changed since: go back to "
            "its commit and environment, or train again"
        )
    _say_found(directories)
    if not all((directory / RECORD).exists() for directory in directories):
        run(config, parent)
    trainings = [
        fit(dataset, config, directory, lambda *_: None, folds)
        for directory, folds in zip(directories, config.data.folds.in_turn(), strict=True)
    ]
    source = parent.log_source("train", TAG, name)
    parent.set_tags({TAG: name})
    return Trained(trainings, dataset, name, source)


def _say_found(directories: Sequence[Path]) -> None:
    records = [directory / RECORD for directory in directories]
    say_found("train", f"training {_digest(directories)}", records)


def directories_of(config: Config, dataset: Dataset) -> list[Path]:
    """Return where the training of each held-out fold is, finished or not.

    They are named after everything that decides the weights: the code, too.
    """
    kind: Answer = "trees" if isinstance(config.model, BoostedTreesConfig) else "network"
    code = code_digest(config.analysis, kind)
    questions = [
        question(dataset.manifest.simulation_digest, config, folds)
        for folds in config.data.folds.in_turn()
    ]
    return [config.output / "trainings" / digest_of([asked, code]) for asked in questions]


def _digest(directories: Sequence[Path]) -> str:
    names = [directory.name for directory in directories]
    return names[0] if len(names) == 1 else digest_of(names)


def quality(trainings: Sequence[Training]) -> dict[str, float]:
    """Return the validation metrics of the best epoch, and `NAME_error` where it is known.

    With several folds it is the mean over folds, and `NAME_error_over_folds`.
    """
    if len(trainings) > 1:
        return means_over_folds([_quality(training) for training in trainings])
    facts = _numbers(trainings[0].facts)
    wanted = [each for name in QUALITY for each in (name, f"{name}_error")]
    return {name: facts[name] for name in wanted if name in facts}


def provenance(config: Config, run: Run, trained: Trained) -> dict[str, str]:
    """Return the origin of what `run` makes from a training, by name."""
    trained_by = run.tags_of(trained.run_id) if trained.run_id else {}
    return {
        "analysis": config.analysis,
        "model": config.model.name,
        "architecture": config.model.architecture,
        "run_id": run.run_id,
        "dataset": trained.dataset.manifest.digest,
        "simulation": trained.dataset.manifest.simulation_digest,
        "training": trained.digest,
        "seed": str(config.seed),
        "training_run_id": trained.run_id or "unknown",
        "training_git_commit": trained_by.get("mlflow.source.git.commit", "unknown"),
        "training_git_tree": trained_by.get("rootflow.tree", "unknown"),
        "rootflow_version": __version__,
    }


def finished(training: Training) -> str:
    """Return when a training ended: ISO 8601, UTC."""
    return date_of(training.directory / RECORD)


def _fit_below(
    run: Run,
    config: Config,
    dataset: Dataset,
    folds: FoldsConfig,
    directory: Path,
    on_epoch: OnEpoch,
) -> Training:
    with start_run(config, "train", run, held_out=folds.held_out) as below:
        below.set_tags({TAG: directory.name})
        preprocess.log_dataset(config, below, dataset)
        return _fit(config, dataset, folds, directory, below, on_epoch)


def _fit(
    config: Config,
    dataset: Dataset,
    folds: FoldsConfig,
    directory: Path,
    run: Run,
    on_epoch: OnEpoch,
) -> Training:
    system = SystemMetrics() if config.tracking.system_metrics else None

    def log_epoch(epoch: int, metrics: Mapping[str, float]) -> None:
        run.log_metrics({**metrics, **(system.since_last() if system else {})}, step=epoch)
        on_epoch(folds.held_out, epoch, metrics)

    training = fit(dataset, config, directory, log_epoch, folds)
    run.log_metrics(_numbers(training.facts))
    if DEVICE in training.facts:
        run.set_tags({f"rootflow.{DEVICE}": training.facts[DEVICE]})
    run.log_file(training.model_path)
    _log_histories(run, [training], training.model_path.with_name("history.png"))
    return training


def _log_histories(run: Run, trainings: Sequence[Training], figure: Path) -> None:
    from rootflow.evaluation import draw_histories

    draw_histories([training.history for training in trainings], figure)
    run.log_figures([figure])


def _numbers(facts: Mapping[str, Fact]) -> dict[str, float]:
    return {name: value for name, value in facts.items() if not isinstance(value, str)}


def _rows(trainings: Sequence[Training]) -> list[dict[str, float | int | str]]:
    return [
        {
            "held_out_fold": fold,
            **_quality(training),
            **{name: training.facts[name] for name in ("best_epoch", "epochs", "seconds")},
        }
        for fold, training in enumerate(trainings)
    ]


def _means(trainings: Sequence[Training]) -> dict[str, float]:
    """Return the mean over folds and its standard error, by name, and what is of all folds."""
    means = means_over_folds([_quality(training) for training in trainings])
    if PARAMETERS in trainings[0].facts:
        means[PARAMETERS] = float(trainings[0].facts[PARAMETERS])
    return {**means, "seconds": sum(float(training.facts["seconds"]) for training in trainings)}


def means_over_folds(folds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean over folds and its standard error, by the names of the first."""
    means: dict[str, float] = {}
    for name in folds[0]:
        values = np.array([metrics[name] for metrics in folds])
        means[name] = float(values.mean())
        means[f"{name}{OVER_FOLDS}"] = float(values.std(ddof=1) / np.sqrt(len(values)))
    return means


def _quality(training: Training) -> dict[str, float]:
    facts = _numbers(training.facts)
    return {name: facts[name] for name in QUALITY if name in facts}
