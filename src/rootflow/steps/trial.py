"""One trial of a study, as its job runs it."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from rootflow.config import Config, change, load
from rootflow.errors import AwayError, RootflowError
from rootflow.files import alone_in
from rootflow.steps import train
from rootflow.steps.result import StepResult
from rootflow.tracking import Run
from rootflow.tracking.study import join_run
from rootflow.tuning import Result, Trial, TrialFiles

SECONDS_BETWEEN_TRIES = 15.0
SECONDS_TO_WAIT = 900.0


def run(directory: Path) -> None:
    """Measure the trial whose files are in `directory`, and write its result there.

    Where a result is there already, or another process comes to one meanwhile, there is
    nothing left to do. An interrupted training goes on from its checkpoint.

    Raises
    ------
    RootflowError
        The trial's own error, which its result says, too; or a server that is away,
        after some minutes: then there is no result, and the trial can be run again.
    """
    files = TrialFiles(directory)
    with alone_in(files.directory):
        if files.result() is not None:
            return
        trial, config = files.read_trial(), load(files.config)
        run = _join(config, trial.run_id)
        files.begin_progress()
        try:
            metrics = _measure(config, trial, files, run)
        except AwayError:
            raise
        except RootflowError as error:
            files.write_result(Result(error=str(error)))
            raise
        files.write_result(Result(metrics=metrics))


def _join(config: Config, run_id: str) -> Run:
    until = time.monotonic() + SECONDS_TO_WAIT
    while True:
        try:
            return join_run(config, run_id)
        except AwayError:
            if time.monotonic() > until:
                raise
            time.sleep(SECONDS_BETWEEN_TRIES)


def _measure(config: Config, trial: Trial, files: TrialFiles, run: Run) -> dict[str, float]:
    configs = [change(config, {"data.folds.held_out": fold}) for fold in trial.held_out] or [config]
    return _means([_measure_one(each, trial.then, files, run) for each in configs])


def _measure_one(
    config: Config, then: Sequence[str], files: TrialFiles, run: Run
) -> dict[str, float]:
    metrics = _numbers(train.run(config, run, files.add_epoch))
    for step in then:
        metrics |= _numbers(_step(step)(config, run))
    own = f"/{config.model.name}"
    # Under a name that stays the same where the model is one of the things varied.
    return metrics | {
        f"{name.removesuffix(own)}/model": value
        for name, value in metrics.items()
        if name.endswith(own)
    }


def _step(name: str) -> Callable[[Config, Run], StepResult]:
    """Return a step after the training; most trials do without what it imports."""
    if name == "evaluate":
        from rootflow.steps import evaluate

        return evaluate.run
    from rootflow.steps import export

    return partial(export.run, register=False)  # the registry is for the study's best


def _numbers(result: StepResult) -> dict[str, float]:
    facts = {k: v for k, v in result.facts.items() if isinstance(v, int | float)}
    return {**facts, **result.metrics}


def _means(folds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the mean over folds and, of several, its standard error, by name."""
    if len(folds) == 1:
        return dict(folds[0])
    means: dict[str, float] = {}
    for name in folds[0]:
        values = np.array([metrics[name] for metrics in folds])
        means[name] = float(values.mean())
        means[f"{name}{train.OVER_FOLDS}"] = float(values.std(ddof=1) / np.sqrt(len(values)))
    return means
