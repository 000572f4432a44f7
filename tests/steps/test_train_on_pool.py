"""`mlflow run . -e train --backend htcondor` with the shipped profiles, on the real pool."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

from condor_pool import Pool
from pool_processes import files_on_nodes
from rootflow.batch.contract import read
from rootflow.batch.schedd import htcondor
from rootflow.config.batch import load_profile
from rootflow.tracking import carried
from rootflow.training.checkpoint import CHECKPOINT, read_checkpoint

PROJECT = Path(__file__).parents[2]
ENDED = "FINISHED"
JOB_AD = ".job.ad"
COURSE = ["SCHEDULED", "RUNNING", ENDED]
COURSE_OF_A_VACATED_ONE = [*COURSE[:-1], *COURSE]
# What git knows of it and a training needs.
OF_THE_PROJECT = ("MLproject", "python_env.yaml", "configs", "src")
OF_THE_JOB = {"job/memory_mib", "job/starts", "events_per_second"}
EPOCHS, BEFORE_THE_VACATE = 60, 3
SMALL = f"model.architecture=feed_forward model.width=8 training.epochs={EPOCHS}"
SHIPPED = PROJECT / "condor" / "profiles"
# The last one disturbed by nothing, and with shared files.
PROFILES: dict[str, dict[str, Any]] = {
    "spool": load_profile(SHIPPED / "cern-spool.json").model_dump(mode="json")
    | {"send_credential": False},  # of Kerberos, which is not here
    "transfer": load_profile(SHIPPED / "generic-transfer.json").model_dump(mode="json"),
    "shared": load_profile(SHIPPED / "generic.json").model_dump(mode="json"),
}


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
    """The run of a job, what it has said of itself, in order, and epochs as it went on."""

    place: Place
    run_id: str
    seen: list[str]
    went_on: list[int]

    def look(self) -> None:
        status = self.place.client.get_run(self.run_id).info.status
        if self.seen[-1:] != [status]:
            self.seen.append(status)

    def has_ended(self) -> bool:
        return bool(self.seen) and self.seen[-1] not in COURSE[:-1]


def vacated(place: Place) -> int:
    """Vacate the job of a place between two epochs; return the epoch with which it goes on."""
    first = checkpoint_on_node(place, BEFORE_THE_VACATE, besides=None)
    job = re.search(r"^ClusterId = (\d+)$", read(first.parents[4] / JOB_AD), re.MULTILINE)
    assert job is not None
    htcondor().Schedd().act(htcondor().JobAction.Vacate, [f"{job[1]}.0"], ("by hand", 0))
    return epochs_in(checkpoint_on_node(place, 1, besides=first))


def checkpoint_on_node(place: Place, epochs: int, besides: Path | None) -> Path:
    """Wait for a checkpoint of so many epochs, of another start than that of `besides`."""
    until = time.monotonic() + 300
    while True:
        assert time.monotonic() < until
        for path in files_on_nodes(CHECKPOINT):
            mine = f"{place.directory}/" in read(path.parents[4] / JOB_AD)
            if mine and path != besides and epochs_in(path) >= epochs:
                return path
        time.sleep(0.05)


def epochs_in(path: Path) -> int:
    try:
        checkpoint = read_checkpoint(path.parent)
    except OSError:  # it is gone, with its node's folder
        return 0
    return len(checkpoint.history) if checkpoint is not None else 0


@pytest.fixture(scope="module")
def submitted(
    pool: Pool,  # noqa: ARG001 - it has to be up
    empty_store: Path,
    small_ntuple: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Submitted]:
    """Return the same training by each way of files, at the same time; all but one vacated."""

    def train(files: str) -> Submitted:
        directory = tmp_path_factory.mktemp(files)
        (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
        for name in OF_THE_PROJECT:
            source = PROJECT / name
            copy = shutil.copytree if source.is_dir() else shutil.copy2
            copy(source, directory / name)
        (directory / "profile.json").write_text(json.dumps(PROFILES[files]))
        place = Place(directory)
        # Begun before: on a slow machine the job may have ended when the command returns.
        vacate = threads.submit(vacated, place) if files != "shared" else None
        place.command(
            *("mlflow", "run", ".", "-e", "train", "--experiment-name", "ttbar"),
            *("--backend", "htcondor", "--backend-config", "profile.json"),
            *("-P", f"overrides=data.files=[{small_ntuple}] {SMALL}"),
        )
        # The job may have begun a run below it already.
        [run] = [each for each in place.runs() if "mlflow.parentRunId" not in each.data.tags]
        training = Submitted(place, run.info.run_id, [], [])
        until = time.monotonic() + 300
        while not training.has_ended():
            assert time.monotonic() < until
            training.look()
            time.sleep(0.1)
        return training if vacate is None else training._replace(went_on=[vacate.result()])

    with ThreadPoolExecutor(2 * len(PROFILES)) as threads:
        return dict(zip(PROFILES, threads.map(train, PROFILES), strict=True))


@pytest.mark.parametrize("files", PROFILES)
def test_training_in_the_pool_is_a_run_as_one_here_is(
    submitted: dict[str, Submitted], files: str
) -> None:
    place, run_id, seen, _ = submitted[files]
    assert any(each.seen[0] != ENDED for each in submitted.values())
    course = COURSE if files == "shared" else COURSE_OF_A_VACATED_ONE
    assert seen == course[-len(seen) :]
    folder = Path(place.client.get_run(run_id).data.tags["htcondor.folder"])
    assert place.command("rootflow", "follow", str(folder)) == "FINISHED\n"
    check(place, run_id)
    if files != "shared":
        carried.deliver(folder / "job" / carried.TRACKING, run_id, place.client)
        check(place, run_id)


@pytest.mark.parametrize("files", ["transfer", "spool"])
def test_a_vacated_training_goes_on_at_its_next_epoch_without_shared_files(
    submitted: dict[str, Submitted], files: str
) -> None:
    place, run_id, _, [went_on] = submitted[files]
    assert went_on >= BEFORE_THE_VACATE
    run = place.client.get_run(run_id)
    assert run.data.metrics["job/starts"] == 2
    undisturbed = submitted["shared"].place.client.get_run(submitted["shared"].run_id)
    same = {
        name
        for name in undisturbed.data.metrics
        if "seconds" not in name and not name.startswith("system/")
    } - OF_THE_JOB
    assert len(same) > 3
    assert {name: run.data.metrics[name] for name in same} == {
        name: undisturbed.data.metrics[name] for name in same
    }


def test_what_a_step_has_made_is_where_it_says(
    submitted: dict[str, Submitted], small_ntuple: Path
) -> None:
    """In the folder of the project, where the same step finds it."""
    for place, run_id, *_ in submitted.values():
        run = place.client.get_run(run_id)
        training = Path("outputs") / "trainings" / run.data.tags["rootflow.training"]
        said = (Path(run.data.tags["htcondor.folder"]) / "job" / "stdout.txt").read_text()
        assert str(training / "model.keras") in "".join(said.split())
        assert (place.directory / training / "model.keras").exists()
        dataset = run.data.tags["rootflow.dataset"]
        assert (place.directory / "outputs" / "datasets" / dataset / "manifest.json").exists()
    words = [f"data.files=[{small_ntuple}]", *SMALL.split(), "--json"]
    again = place.command("rootflow", "train", "--config", "configs/ttbar.yaml", *words)
    assert json.loads(again)["seconds"] == run.data.metrics["seconds"]


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
    history = place.client.get_metric_history(run_id, "validation_loss")
    assert {loss.step for loss in history} == set(range(1, EPOCHS + 1))
    assert len(run.inputs.dataset_inputs) == 1
    assert {"model.keras", "config.yaml", "figures", "job"} <= place.artifacts(run_id)
