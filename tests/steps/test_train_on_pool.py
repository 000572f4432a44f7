"""`mlflow run . -e train --backend htcondor` with the shipped profiles, on the real pool."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from rootflow.tracking import spooled

PROJECT = Path(__file__).parents[2]
ORDER = ["SCHEDULED", "RUNNING", "FINISHED"]
STEPS = 3
SMALL = "model.architecture=feed_forward model.width=8 training.epochs=2"


class Place:
    """A working directory with a tracking store, where `mlflow run` is called."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.client = MlflowClient(f"sqlite:///{directory / 'mlflow.db'}")
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "MLFLOW_TRACKING_URI": f"sqlite:///{directory / 'mlflow.db'}",
        }

    def command(self, *words: str) -> str:
        answer = subprocess.run(
            words, cwd=self.directory, env=self.environment, capture_output=True, text=True
        )
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    def runs(self) -> list[Run]:
        experiment = self.client.get_experiment_by_name("ttbar")
        assert experiment is not None
        return list(self.client.search_runs([experiment.experiment_id]))

    def artifacts(self, run_id: str) -> set[str]:
        return {each.path for each in self.client.list_artifacts(run_id)}


@pytest.fixture
def place(workspace: Path, empty_store: Path) -> Place:
    (workspace / "mlflow.db").write_bytes(empty_store.read_bytes())
    return Place(workspace)


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize("profile", ["generic", "generic-transfer"])
def test_training_in_the_pool_is_a_run_as_one_here_is(
    place: Place, small_ntuple: Path, profile: str
) -> None:
    there = profile == "generic-transfer"  # without this machine's files, but for the project's
    files = "data/ttbar/*.root" if there else str(small_ntuple)
    output = "outputs" if there else str(place.directory / "outputs")
    place.command(
        *("mlflow", "run", str(PROJECT), "-e", "train", "--experiment-name", "ttbar"),
        *("--backend", "htcondor", "--backend-config"),
        str(PROJECT / "condor" / "profiles" / f"{profile}.json"),
        *("-P", f"max_steps={STEPS}"),
        *("-P", f"overrides=data.files=[{files}] output={output} {SMALL}"),
    )
    [submitted] = place.runs()
    seen = statuses_of(place, submitted.info.run_id)
    assert seen == ORDER[ORDER.index(seen[0]) :]
    assert seen[0] != "FINISHED"
    folder = Path(place.client.get_run(submitted.info.run_id).data.tags["htcondor.folder"])
    assert place.command("rootflow", "follow", str(folder)) == "FINISHED\n"
    check(place, submitted.info.run_id)
    if there:
        spooled.deliver(folder / "job" / spooled.TRACKING, submitted.info.run_id, place.client)
        check(place, submitted.info.run_id)


def statuses_of(place: Place, run_id: str) -> list[str]:
    """Return what the run says until it has ended, in order."""
    seen: list[str] = []
    until = time.monotonic() + 300
    while not seen or seen[-1] in ("SCHEDULED", "RUNNING"):
        assert time.monotonic() < until
        status = place.client.get_run(run_id).info.status
        if seen[-1:] != [status]:
            seen.append(status)
        time.sleep(0.1)
    return seen


def check(place: Place, run_id: str) -> None:
    """Check that metrics, parameters, model and dataset are in the store, each once."""
    steps = {run.data.tags["rootflow.step"]: run for run in place.runs()}
    assert len(steps) == len(place.runs())
    assert set(steps) == {"train", "preprocess"}
    assert {run.info.status for run in steps.values()} == {"FINISHED"}
    assert steps["preprocess"].data.tags["mlflow.parentRunId"] == run_id
    run = steps["train"]
    assert run.info.run_id == run_id
    assert run.data.params["model.width"] == "8"
    assert run.data.params["training.max_steps"] == str(STEPS)
    [loss] = place.client.get_metric_history(run_id, "validation_loss")
    assert loss.step == 0
    assert len(run.inputs.dataset_inputs) == 1
    assert {"model.keras", "config.yaml", "figures", "job"} <= place.artifacts(run_id)
