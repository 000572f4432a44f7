"""The share of slot time that trials of a study spend in training, on a real pool.

Trainings of about a minute are a study's trials in a personal HTCondor pool with a slot for each
core. The reference is all the time that the slots were there for, from the first job's start to
the last one's end; the rest is said, too: what goes by before and after the training of each
job, within its train step outside of epochs, and while a slot waits for the next job. A job's
start and end are in whole seconds, as its event log has them.
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
from rootflow.batch.schedd import htcondor

REPOSITORY = Path(__file__).resolve().parents[1]
NAME = "trainings"


class Trial(NamedTuple):
    """When a trial's job ran, when its train step went, and for how long it trained, s."""

    started: float
    ended: float
    train_started: float
    train_ended: float
    training: float


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
            trials = study(place, arguments.trials, arguments.epochs, arguments.slots)
        finally:
            down(place / "pool")
    whole = max(t.ended for t in trials) - min(t.started for t in trials)
    slot_time = arguments.slots * whole
    print(
        json.dumps(
            {
                "name": "study_slots",
                "value": round(statistics.median(t.training for t in trials), 1),
                "unit": f"s in the epochs of a trial (median of {len(trials)})",
                "reference": f"{arguments.slots} slots for {whole:.0f} s",
                "ratio": round(sum(t.training for t in trials) / slot_time, 3),
                "before_train_step": round(
                    sum(t.train_started - t.started for t in trials) / slot_time, 3
                ),
                "train_step_outside_epochs": round(
                    sum(t.train_ended - t.train_started - t.training for t in trials) / slot_time, 3
                ),
                "after_train_step": round(
                    sum(t.ended - t.train_ended for t in trials) / slot_time, 3
                ),
                "no_job": round(1 - sum(t.ended - t.started for t in trials) / slot_time, 3),
            }
        )
    )


def study(place: Path, trials: int, epochs: int, slots: int) -> list[Trial]:
    """Run a study of trainings to its end, and return its trials."""
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
    return list(read(place / "outputs" / "studies" / NAME))


def read(directory: Path) -> Iterator[Trial]:
    """Read when what happened from Optuna, the jobs' event log and MLflow."""
    client = MlflowClient()
    events: dict[tuple[int, int], dict[str, float]] = {}
    for event in (
        htcondor().JobEventLog(str(directory / "jobs" / "events.log")).events(stop_after=0)
    ):
        events.setdefault((event.cluster, event.proc), {})[event.type.name] = event.timestamp
    jobs = [times for _, times in sorted(events.items()) if "JOB_TERMINATED" in times]
    storage = JournalStorage(JournalFileBackend(str(directory / "study.journal")))
    trials = optuna.load_study(study_name=NAME, storage=storage).trials
    for trial, job in zip(trials, jobs, strict=True):
        parent = trial.user_attrs["run_id"]
        experiment = client.get_run(parent).info.experiment_id
        [train] = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")
        yield Trial(
            job["EXECUTE"],
            job["JOB_TERMINATED"],
            train.info.start_time / 1000,
            train.info.end_time / 1000,
            train.data.metrics["seconds"] + train.data.metrics["validation_seconds"],
        )


if __name__ == "__main__":
    main()
