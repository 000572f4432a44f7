"""A driver of toy trials, in a process that can be killed: `toy_study.py CONFIG OVERRIDES...`."""

import os
import sys
from functools import partial
from pathlib import Path

from rootflow.batch import make_executor
from rootflow.batch.contract import Job
from rootflow.config import load
from rootflow.config.batch import JobConfig, LimitsConfig, ProfileConfig, load_profile
from rootflow.steps.tune import drive
from rootflow.tracking.study import start_study
from rootflow.tuning.driver import Driver
from rootflow.tuning.start import study_to_start_from
from rootflow.tuning.study import only_driver, open_study, place_of
from rootflow.tuning.trials import CONFIG, PROGRESS, RESULT, TRIAL, TrialFiles

TOY_STUDY = Path(__file__)
TOY_TRIAL = str(Path(__file__).with_name("toy_trial.py"))
TOY_TRIALS = str(Path(__file__).with_name("toy_trials.py"))
RUN = "rootflow.run"
SMALL = JobConfig(memory_gib=0.125, disk_gib=0.01)


def toy_job(profile: ProfileConfig, files: TrialFiles, name: str) -> Job:
    """Return a trial's job; without shared files what it needs is carried, but for the code."""
    passed = {key: os.environ[key] for key in ("TOY", "PYTHONPATH") if key in os.environ}
    resources = profile.job.model_copy(update={"environment": passed})
    if profile.files == "shared":
        program = TOY_TRIALS if "others" in os.environ.get("TOY", "") else TOY_TRIAL
        command = (sys.executable, program, str(files.directory))
        return Job(name, command, files.directory, resources=resources)
    inputs = tuple(files.directory / name for name in (TRIAL, CONFIG))
    outputs = (PROGRESS, RESULT, "starts")
    command = (sys.executable, TOY_TRIAL, ".")
    return Job(name, command, files.directory, inputs, outputs, resources)


def run_study(path: Path, overrides: list[str]) -> None:
    config = load(path, overrides)
    tune = config.tune
    assert tune is not None
    place = place_of(config, tune)
    # A single start, so that it is the driver that has to try again.
    local = ProfileConfig(
        executor="local", slots=tune.parallel, limits=LimitsConfig(starts=1), job=SMALL
    )
    profile = load_profile(tune.profile) if tune.profile else local
    with only_driver(place):
        if tune.start_from is not None:
            study_to_start_from(tune, place)
        study = open_study(config, tune, place)
        with start_study(config, study.user_attrs.get(RUN)) as runs:
            study.set_user_attr(RUN, runs.run.run_id)
            executor = make_executor(profile, place / "jobs")
            make_job = partial(toy_job, profile)
            drive(Driver(config, tune, study, place, executor, make_job, runs), tune)


if __name__ == "__main__":
    run_study(Path(sys.argv[1]), sys.argv[2:])
