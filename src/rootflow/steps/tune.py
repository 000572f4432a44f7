"""Search for better settings in many trials, each a job."""

import sys
from pathlib import Path
from typing import Any

import click
import optuna
import yaml

from rootflow.batch import make_executor
from rootflow.config import Config, TuningConfig
from rootflow.config.batch import JobConfig, ProfileConfig, load_profile
from rootflow.errors import UsageError
from rootflow.places import shown
from rootflow.secrets import hidden
from rootflow.steps import preprocess
from rootflow.steps.result import StepResult
from rootflow.steps.trial_jobs import job_maker
from rootflow.tracking.study import StudyRun, start_study
from rootflow.tuning.driver import Driver
from rootflow.tuning.outcomes import draw, table, write_outcomes
from rootflow.tuning.start import study_to_start_from
from rootflow.tuning.storage import DATABASE_FAILURES, away
from rootflow.tuning.study import check, only_driver, open_study, place_of, storage_name
from rootflow.tuning.trials import held_out_folds

RUN = "rootflow.run"


def run(config: Config) -> StepResult:
    """Run the study, or go on with it, and write the best settings."""
    tune = config.tune
    if tune is None:
        raise UsageError("tune: the configuration has no such block: say what to vary there")
    check(config, tune)
    held_out_folds(config, tune)  # said before anything is made
    profile = _profile(tune)
    place = place_of(config, tune)
    with only_driver(place):
        if tune.start_from is not None:
            study_to_start_from(tune, place)  # said before anything is made
        study = open_study(config, tune, place)
        with start_study(config, study.user_attrs.get(RUN)) as runs:
            study.set_user_attr(RUN, runs.run.run_id)
            about = {"rootflow.study": tune.name, "rootflow.sampler": tune.sampler.name}
            runs.run.set_tags(about)
            settings = yaml.safe_dump(shown(tune.model_dump(mode="json")), sort_keys=False)
            runs.run.log_text(settings, "tune.yaml")
            preprocess.ensure(config, runs.run)  # once, and not in each job
            executor = make_executor(profile, place / "jobs")
            make_job = job_maker(
                profile, tune.name, place, runs, shares_files=executor.shares_files
            )
            driver = Driver(config, tune, study, place, executor, make_job, runs)
            drive(driver, tune)
            return _conclude(config, tune, study, place, runs)


def drive(driver: Driver, tune: TuningConfig) -> None:
    """Run the driver; when it is stopped, ask what becomes of the jobs, or leave them."""
    try:
        driver.run()
    except UsageError:
        driver.remove_jobs("the study's settings are wrong")
        raise
    except DATABASE_FAILURES as error:
        raise away(error) from None
    except KeyboardInterrupt:
        count = len(driver.jobs())
        remove = count and sys.stdin.isatty() and click.confirm(f"\nRemove {count} jobs?", err=True)
        if remove:
            driver.remove_jobs("the study was stopped")
        _say_how_to_go_on(tune, 0 if remove else count)
        raise
    except SystemExit:
        _say_how_to_go_on(tune, len(driver.jobs()))
        raise


def _profile(tune: TuningConfig) -> ProfileConfig:
    if tune.profile is not None:
        return load_profile(tune.profile)
    return ProfileConfig(executor="local", slots=tune.parallel, job=JobConfig(memory_gib=2))


def _say_how_to_go_on(tune: TuningConfig, left: int) -> None:
    jobs = f"{left} jobs go on; " if left else ""
    click.echo(f"rootflow: {jobs}the same command goes on with the study '{tune.name}'", err=True)


def _conclude(
    config: Config, tune: TuningConfig, study: optuna.Study, place: Path, runs: StudyRun
) -> StepResult:
    trials = table(study, tune)
    best = write_outcomes(config, tune, study, place)
    for path in best:
        runs.run.log_text(hidden(path.read_text()), path.name)
    runs.run.log_figures(draw(study, tune, place / "figures"))
    metrics = _metrics(study, tune, trials)
    runs.run.log_metrics(metrics)
    facts = {
        "study": tune.name,
        "directory": str(place),
        "best": [str(path) for path in best],
        # The models of all folds.
        "retrain": [
            f"rootflow main --config {_short(path)} data.folds.held_out=all" for path in best
        ],
        "dashboard": f"optuna-dashboard {storage_name(tune, place)}",
    }
    return StepResult("tune", runs.run.run_id, facts, {"trials": trials}, metrics)


def _metrics(
    study: optuna.Study, tune: TuningConfig, trials: list[dict[str, Any]]
) -> dict[str, float]:
    states = [trial["state"] for trial in trials]
    counts = {f"trials_{state}": states.count(state) for state in ("complete", "pruned", "fail")}
    if len(tune.objectives) > 1 or "complete" not in states:
        return {**counts}
    return {**counts, f"best/{tune.objectives[0].metric}": study.best_value}


def _short(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
