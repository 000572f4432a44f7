"""`mlflow run . -e train --backend htcondor` with the shipped profiles, on the real pool."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from condor_pool import Pool
from rootflow.tracking import carried

PROJECT = Path(__file__).parents[2]
ORDER = ["SCHEDULED", "RUNNING", "FINISHED"]
STEPS = 3
# Without the files of this machine, but for the project itself.
CARRIED = "generic-transfer"
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


class Submitted(NamedTuple):
    """The run of a job, and what it has said of itself, in order."""

    place: Place
    run_id: str
    seen: list[str]

    def look(self) -> None:
        status = self.place.client.get_run(self.run_id).info.status
        if self.seen[-1:] != [status]:
            self.seen.append(status)

    def has_ended(self) -> bool:
        return bool(self.seen) and self.seen[-1] not in ORDER[:-1]


@pytest.fixture(scope="module")
def submitted(
    pool: Pool,  # noqa: ARG001 - it has to be up
    empty_store: Path,
    small_ntuple: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Submitted]:
    """Return the trainings with both profiles, which ran at the same time."""

    def train(profile: str, files: str) -> Submitted:
        directory = tmp_path_factory.mktemp(profile)
        (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
        place = Place(directory)
        output = "outputs" if profile == CARRIED else str(place.directory / "outputs")
        place.command(
            *("mlflow", "run", str(PROJECT), "-e", "train", "--experiment-name", "ttbar"),
            *("--backend", "htcondor", "--backend-config"),
            str(PROJECT / "condor" / "profiles" / f"{profile}.json"),
            *("-P", f"max_steps={STEPS}"),
            *("-P", f"overrides=data.files=[{files}] output={output} {SMALL}"),
        )
        # The job may have begun a run below it already.
        [run] = [each for each in place.runs() if "mlflow.parentRunId" not in each.data.tags]
        training = Submitted(place, run.info.run_id, [])
        until = time.monotonic() + 300
        while not training.has_ended():
            assert time.monotonic() < until
            training.look()
            time.sleep(0.1)
        return training

    wanted = {"generic": str(small_ntuple), CARRIED: "data/ttbar/*.root"}
    with ThreadPoolExecutor() as threads:
        done = threads.map(train, wanted.keys(), wanted.values())
        return dict(zip(wanted, done, strict=True))


@pytest.mark.parametrize("profile", ["generic", CARRIED])
def test_training_in_the_pool_is_a_run_as_one_here_is(
    submitted: dict[str, Submitted], profile: str
) -> None:
    place, run_id, seen = submitted[profile]
    assert seen[0] != "FINISHED"
    assert seen == ORDER[ORDER.index(seen[0]) :]
    folder = Path(place.client.get_run(run_id).data.tags["htcondor.folder"])
    assert place.command("rootflow", "follow", str(folder)) == "FINISHED\n"
    check(place, run_id)
    if profile == CARRIED:
        carried.deliver(folder / "job" / carried.TRACKING, run_id, place.client)
        check(place, run_id)


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
    assert loss.step == 1
    assert len(run.inputs.dataset_inputs) == 1
    assert {"model.keras", "config.yaml", "figures", "job"} <= place.artifacts(run_id)
