"""The share of slot time that trials of a study spend in training, on a real pool.

Trainings of about a minute are a study's trials in a personal HTCondor pool with a slot for each
core. The reference is all the time that the slots were there for, from the first job's start to
the last one's end; the rest is said, too: what goes by in jobs outside of train steps, within these
outside of epochs, and while a slot waits for the next job. A job's start and end are in whole
seconds, as its event log has them; it measures several trials.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import optuna
import yaml
from mlflow.tracking import MlflowClient
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from condor_pool import down, up
from rootflow.batch import make_executor
from rootflow.batch.schedd import htcondor
from rootflow.config.batch import load_profile

REPOSITORY = Path(__file__).resolve().parents[1]
NAME = "trainings"


class Trial(NamedTuple):
    """When a trial's train step went, and for how long it trained, s."""

    train_started: float
    train_ended: float
    training: float


class Job(NamedTuple):
    """When a job ran, s."""

    started: float
    ended: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=12, help="of each; about 5 s of a core each")
    parser.add_argument("--slots", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        try:
            pool = up(place / "pool", arguments.slots, ends_with_me=True)
            os.environ["CONDOR_CONFIG"] = str(pool.config)
            os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{place / 'mlflow.db'}"
            trials, jobs = study(place, arguments.trials, arguments.epochs, arguments.slots)
        finally:
            down(place / "pool")
    whole = max(job.ended for job in jobs) - min(job.started for job in jobs)
    slot_time = arguments.slots * whole
    in_jobs = sum(job.ended - job.started for job in jobs)
    in_steps = sum(trial.train_ended - trial.train_started for trial in trials)
    training = sum(trial.training for trial in trials)
    print(
        json.dumps(
            {
                "name": "study_slots",
                "value": round(statistics.median(t.training for t in trials), 1),
                "unit": f"s in the epochs of a trial (median of {len(trials)})",
                "reference": f"{arguments.slots} slots for {whole:.0f} s",
                "ratio": round(training / slot_time, 3),
                "train_step_outside_epochs": round((in_steps - training) / slot_time, 3),
                "job_outside_train_steps": round((in_jobs - in_steps) / slot_time, 3),
                "no_job": round(1 - in_jobs / slot_time, 3),
                "jobs": len(jobs),
            }
        )
    )


def study(place: Path, trials: int, epochs: int, slots: int) -> tuple[list[Trial], list[Job]]:
    """Run a study of trainings to its end, and return its trials and the jobs that ran."""
    profile = place / "profile.json"
    profile.write_text(json.dumps({"executor": "htcondor", "files": "shared"}))
    settings = {
        "base": str(REPOSITORY / "configs" / "ttbar.yaml"),
        "tune": {
            "name": NAME,
            "objectives": [{"metric": "best_validation_loss", "direction": "minimize"}],
            "space": {
                "training.learning_rate": {"type": "float", "low": 5e-4, "high": 2e-3, "log": True}
            },
            "trials": trials,
            "parallel": 2 * slots,
            "profile": str(profile),
        },
    }
    path = place / "study.yaml"
    path.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "rootflow", "tune", "--config", str(path)]
    command += [f"training.epochs={epochs}", f"training.patience={epochs}"]
    command += [f"output={place / 'outputs'}", f"data.files=[{REPOSITORY / 'data/ttbar/*.root'}]"]
    subprocess.run(command, check=True, cwd=place)
    directory = place / "outputs" / "studies" / NAME
    executor = make_executor(load_profile(profile), directory / "jobs")
    executor.wait(list(executor.known()))  # for those that have just heard that it is at its end
    return list(read_trials(directory)), list(read_jobs(directory))


def read_trials(directory: Path) -> Iterator[Trial]:
    """Read what happened when from Optuna and MLflow."""
    client = MlflowClient()
    storage = JournalStorage(JournalFileBackend(str(directory / "study.journal")))
    for trial in optuna.load_study(study_name=NAME, storage=storage).trials:
        parent = trial.user_attrs["run_id"]
        experiment = client.get_run(parent).info.experiment_id
        [train] = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")
        yield Trial(
            train.info.start_time / 1000,
            train.info.end_time / 1000,
            train.data.metrics["seconds"] + train.data.metrics["validation_seconds"],
        )


def read_jobs(directory: Path) -> Iterator[Job]:
    """Read the jobs' event log; one whose trial another job took may never have started."""
    events: dict[tuple[int, int], dict[str, float]] = {}
    log = htcondor().JobEventLog(str(directory / "jobs" / "events.log"))
    for event in log.events(stop_after=0):
        events.setdefault((event.cluster, event.proc), {})[event.type.name] = event.timestamp
    for times in events.values():
        if "EXECUTE" in times:
            yield Job(times["EXECUTE"], times.get("JOB_TERMINATED") or times["JOB_ABORTED"])


if __name__ == "__main__":
    main()
