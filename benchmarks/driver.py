"""Memory and CPU of a study's driver with very many trials submitted to a real pool.

Dummy trials of ten seconds are asked for, given MLflow runs and submitted, all at once, to a
personal HTCondor pool; then the driver is watched for a minute while they run. The reference
of its memory is the same driver with as many trials as there are slots; the process holds Optuna,
MLflow and HTCondor's bindings in both cases. There, each trial finds a free slot: the seconds
from the question to Optuna until its job runs are theirs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import optuna
import psutil
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from condor_pool import down, up
from rootflow.batch import make_executor
from rootflow.batch.contract import Job
from rootflow.config import load
from rootflow.config.batch import JobConfig, load_profile
from rootflow.tracking.study import start_study
from rootflow.tuning.driver import Driver
from rootflow.tuning.study import only_driver, open_study, place_of
from rootflow.tuning.trials import TrialFiles

REPOSITORY = Path(__file__).resolve().parents[1]
DUMMY = 'date +%s.%N > started; sleep 10; echo \'{"metrics": {"loss": 1}}\' > measured.json'
NAME = "dummies"
SLOTS = 4
WATCHED_SECONDS = 60.0
SECONDS_BETWEEN_LOOKS = 0.5
MIB = 2**20


class Use(NamedTuple):
    """What a driver took: seconds until all trials were submitted, and its share of a core.

    `waits` are the seconds from the question until the job ran, of the trials that have run.
    """

    seconds_to_submit: float
    cpu_seconds_to_submit: float
    peak_mib: float
    cpu_share_watching: float
    waits: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--drive", type=Path, help="a study's configuration: be its driver")
    arguments = parser.parse_args()
    if arguments.drive:
        drive(arguments.drive)
        return
    few, many = measure(SLOTS), measure(arguments.trials)
    print(
        json.dumps(
            {
                "name": "study_driver",
                "value": round(many.peak_mib),
                "unit": f"MiB at most, {arguments.trials} trials submitted",
                "reference": f"the same driver with {SLOTS} trials",
                "ratio": round(many.peak_mib / few.peak_mib, 3),
                "seconds_to_submit": round(many.seconds_to_submit),
                "cpu_seconds_to_submit": round(many.cpu_seconds_to_submit),
                "cpu_share_watching": round(many.cpu_share_watching, 3),
                "seconds_from_ask_to_running": round(statistics.median(few.waits), 2),
            }
        )
    )


def measure(trials: int) -> Use:
    """Return what the driver of so many trials takes."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        try:
            pool = up(place / "pool", SLOTS, ends_with_me=True)
            process = subprocess.Popen(
                [sys.executable, __file__, "--drive", str(study_of(place, trials))],
                cwd=place,
                env={
                    **os.environ,
                    "CONDOR_CONFIG": str(pool.config),
                    "MLFLOW_TRACKING_URI": f"sqlite:///{place / 'mlflow.db'}",
                },
            )
            with process:
                use = watch(psutil.Process(process.pid), place, trials)
                process.kill()
            return use
        finally:
            down(place / "pool")


def study_of(place: Path, trials: int) -> Path:
    """Write the configuration of the study."""
    profile = place / "profile.json"
    profile.write_text(json.dumps({"executor": "htcondor", "files": "shared"}))
    study = {
        "base": str(REPOSITORY / "configs" / "ttbar.yaml"),
        "output": str(place / "outputs"),
        "tune": {
            "name": NAME,
            "objectives": [{"metric": "loss", "direction": "minimize"}],
            "space": {
                "training.learning_rate": {"type": "float", "low": 1e-4, "high": 1e-2, "log": True},
                "model.depth": {"type": "int", "low": 1, "high": 4},
            },
            "sampler": {"name": "random"},
            "trials": trials + 1000,
            "parallel": trials,
            "profile": str(profile),
        },
    }
    path = place / "study.yaml"
    path.write_text(yaml.safe_dump(study))
    return path


def watch(driver: psutil.Process, place: Path, trials: int) -> Use:
    """Follow the driver until all trials are submitted, and a minute on; it must not end."""
    directory = place / "outputs" / "studies" / NAME
    last = directory / "trials" / f"{trials - 1:05d}" / "job.json"
    started = time.monotonic()
    peak = 0.0
    while not last.exists():
        peak = max(peak, driver.memory_info().rss / MIB)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    submitted, cpu = time.monotonic(), sum(driver.cpu_times()[:2])
    while time.monotonic() < submitted + WATCHED_SECONDS:
        peak = max(peak, driver.memory_info().rss / MIB)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    watched = sum(driver.cpu_times()[:2]) - cpu
    share = watched / (time.monotonic() - submitted)
    return Use(submitted - started, cpu, peak, share, waits_in(directory))


def waits_in(directory: Path) -> list[float]:
    """Return the seconds from question to start of the jobs that have run."""
    storage = JournalStorage(JournalFileBackend(str(directory / "study.journal")))
    trials = optuna.load_study(study_name=NAME, storage=storage).trials
    return [
        float(started.read_text()) - trial.datetime_start.timestamp()
        for trial in trials
        if (started := directory / "trials" / f"{trial.number:05d}" / "started").exists()
        and trial.datetime_start is not None
    ]


def drive(path: Path) -> None:
    """Drive the study of dummies."""
    config = load(path, [])
    tune = config.tune
    assert tune is not None and tune.profile is not None  # noqa: PT018 - written above
    place = place_of(config, tune)
    small = JobConfig(memory_gib=0.05, disk_gib=0.01)

    def dummy(files: TrialFiles, name: str) -> Job:
        return Job(name, ("/bin/sh", "-c", DUMMY), files.directory, resources=small)

    with only_driver(place):
        study = open_study(config, tune, place)
        with start_study(config, None) as runs:
            executor = make_executor(load_profile(tune.profile), place / "jobs")
            Driver(config, tune, study, place, executor, dummy, runs).run()


if __name__ == "__main__":
    main()
