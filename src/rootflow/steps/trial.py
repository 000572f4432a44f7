"""One trial of a study, as its job runs it."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import click

from rootflow.config import Config, change, load
from rootflow.errors import AwayError, RootflowError
from rootflow.files import alone_in
from rootflow.steps import preprocess, train
from rootflow.steps.result import StepResult
from rootflow.tracking import Run
from rootflow.tracking.study import join_run
from rootflow.tuning.trials import CONFIG, OUTPUTS, Reporter, Result, Trial, TrialFiles

SECONDS_BETWEEN_TRIES = 15.0
SECONDS_TO_WAIT = 900.0


def run(directory: Path, dataset: Path | None = None) -> None:
    """Measure the trial whose files are in `directory`, and write its result there.

    Where another process has done so meanwhile nothing is left to do; an interrupted training goes
    on from its checkpoint. With a `dataset` that was carried here, what is made is put into OUTPUTS
    beside the trial's files. The trial's own error is in its result and raised; of a server that
    stays away there is no result, and the trial can be run again.
    """
    files = TrialFiles(directory)
    with alone_in(files.directory):
        if files.result() is not None:
            return
        trial, config = files.read_trial(), load(directory / CONFIG)
        if dataset is not None:
            config = change(config, {"output": str(directory / OUTPUTS)})
            preprocess.carry(config, dataset)
        try:
            result = _patiently(partial(_attempt, config, trial, files))
        except AwayError:
            raise
        except RootflowError as error:
            files.write_result(Result(error=str(error)))
            raise
        files.write_result(result)


def _patiently(attempt: Callable[[], Result]) -> Result:
    """Try until the tracking server, or the place of the ntuples, has answered."""
    until = float("inf")
    while True:
        try:
            return attempt()
        except AwayError as error:
            until = min(until, time.monotonic() + SECONDS_TO_WAIT)
            if time.monotonic() > until:
                raise
            click.echo(f"rootflow: {error}; trying again", err=True)
        time.sleep(SECONDS_BETWEEN_TRIES)


def _attempt(config: Config, trial: Trial, files: TrialFiles) -> Result:
    run = join_run(config, trial.run_id)
    reporter = Reporter(files, trial)
    metrics = _measure(config, trial, reporter, run)
    return Result(metrics=metrics, untold=reporter.untold)


def _measure(config: Config, trial: Trial, reporter: Reporter, run: Run) -> dict[str, float]:
    configs = [change(config, {"data.folds.held_out": fold}) for fold in trial.held_out] or [config]
    folds = [_measure_one(each, trial.then, reporter, run) for each in configs]
    return folds[0] if len(folds) == 1 else train.means_over_folds(folds)


def _measure_one(
    config: Config, then: Sequence[str], reporter: Reporter, run: Run
) -> dict[str, float]:
    metrics = _numbers(train.run(config, run, reporter.report))
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
