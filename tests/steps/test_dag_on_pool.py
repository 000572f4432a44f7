"""`rootflow submit main --dag` on the real pool: folds at the same time, a failure, a rescue."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Run
from mlflow.tracking import MlflowClient

import second_node
from condor_pool import Pool
from ntuples import read_branches, write_ntuple
from rootflow.batch.schedd import htcondor
from written_files import read_written

PROJECT = Path(__file__).parents[2]
EVENTS = 100
PROFILE: dict[str, Any] = {
    "executor": "htcondor",
    "files": "shared",
    "job": {"memory_gib": 2, "disk_gib": 0.1},
}
SMALL = (
    "model.architecture=boosted_trees model.trees=20 data.folds.count=2 evaluation.methods=[] "
    "evaluation.replicas=10 export.targets=[named]"
)
# Metrics that are of the machine.
SYSTEM = "system/"
TIMES = ("seconds", "latency_ms", "events_per_second")


class Place:
    """A folder with a tracking store, and the commands that are given there."""

    def __init__(
        self, directory: Path, store: Path, analysis: str = "h4l", settings: str = SMALL
    ) -> None:
        self.directory, self.analysis = directory, analysis
        (directory / "mlflow.db").write_bytes(store.read_bytes())
        self.write_profile()
        uri = f"sqlite:///{directory / 'mlflow.db'}"
        self.client = MlflowClient(uri)
        # As many threads as a job has: their number is in the last digits of a fit.
        self.environment = {**os.environ, "MLFLOW_TRACKING_URI": uri, "OMP_NUM_THREADS": "1"}
        self.overrides = f"output={directory / 'outputs'} {settings}"

    def write_profile(self, **more: Any) -> None:
        profile = {**PROFILE, "folder": str(self.directory / "batch"), **more}
        (self.directory / "profile.json").write_text(json.dumps(profile))

    def begin(self, *words: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            (sys.executable, "-m", "rootflow", *words),
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def submit(self, step: str, *more: str) -> tuple[int, str]:
        """Return the exit status of `submit --dag`, and what it complained of."""
        config = f"config=configs/{self.analysis}.yaml"
        return self.submit_with(step, "-P", config, "-P", f"overrides={self.overrides}", *more)

    def submit_with(self, step: str, *words: str) -> tuple[int, str]:
        profile = str(self.directory / "profile.json")
        process = self.begin("submit", step, "--dag", "--profile", profile, *words)
        _, complaint = process.communicate(timeout=600)
        return process.returncode, complaint

    def runs(self) -> list[Run]:
        experiment = self.client.get_experiment_by_name(self.analysis)
        assert experiment is not None
        return list(self.client.search_runs([experiment.experiment_id]))

    def metrics(self) -> dict[str, dict[str, float]]:
        """Return the metrics of each run by its name, without those of the machine."""
        return {
            str(run.info.run_name): {
                name: value
                for name, value in run.data.metrics.items()
                if not name.endswith(TIMES) and not name.startswith(SYSTEM)
            }
            for run in self.runs()
        }

    def tree(self) -> list[tuple[str, str]]:
        """Return the names of all runs, each with that of the run it is below."""
        names = {run.info.run_id: str(run.info.run_name) for run in self.runs()}
        return sorted(
            (names[run.info.run_id], names.get(run.data.tags.get("mlflow.parentRunId", ""), ""))
            for run in self.runs()
        )


@pytest.fixture(scope="module")
def here(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Return where the same step is run without a pool, at the same time."""
    return Place(tmp_path_factory.mktemp("here"), empty_store)


@pytest.fixture(scope="module")
def there(
    pool: Pool,  # noqa: ARG001 - it has to be up
    here: Place,
    empty_store: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Place:
    """Return where a DAG failed after its folds were trained, and was submitted again."""
    place = Place(tmp_path_factory.mktemp("there"), empty_store)
    local = here.begin("main", "--config", "configs/h4l.yaml", "--overrides", here.overrides)
    in_the_way = place.directory / "outputs" / "figures"
    in_the_way.parent.mkdir()
    in_the_way.touch()  # where the folder of figures is to be
    status, complaint = place.submit("main", "--wait")
    assert status == 1, complaint
    last = complaint.splitlines()[-1]
    assert last.startswith("rootflow: main FAILED: train: exit code 1: rootflow: "), complaint
    assert last.endswith("; submit main again to go on from there")
    assert set(states(place).values()) == {"FINISHED", "FAILED"}
    assert states(place)["main boosted_trees"] == states(place)["train boosted_trees"] == "FAILED"
    in_the_way.unlink()
    status, complaint = place.submit("main", "--wait")
    assert status == 0, complaint
    _, complaint = local.communicate(timeout=600)
    assert local.returncode == 0, complaint
    return place


def states(place: Place) -> dict[str, str]:
    return {str(run.info.run_name): str(run.info.status) for run in place.runs()}


def test_what_was_done_is_not_done_again(there: Place, here: Place) -> None:
    assert there.tree() == here.tree()
    assert set(states(there).values()) == {"FINISHED"}
    [main] = [run for run in there.runs() if "mlflow.parentRunId" not in run.data.tags]
    assert main.data.tags["rootflow.error"] == ""
    (folder,) = (there.directory / "batch").iterdir()
    assert main.data.tags["htcondor.folder"] == str(folder)


def test_metrics_are_those_of_the_step_here_to_the_last_bit(there: Place, here: Place) -> None:
    assert there.metrics() == here.metrics()
    assert len(there.metrics()["main boosted_trees"]) > 10


def test_dag_that_is_removed_is_killed_and_cannot_be_there_twice(
    pool: Pool,  # noqa: ARG001 - it has to be up
    empty_store: Path,
    tmp_path: Path,
) -> None:
    place = Place(tmp_path, empty_store)
    place.write_profile(job={"memory_gib": 1e6})  # no machine has as much: its nodes wait
    status, complaint = place.submit("train")
    assert status == 0, complaint
    [run] = place.runs()
    dag = run.data.tags["htcondor.job"]
    status, complaint = place.submit("train")
    assert status == 2
    assert f"this DAG is at work already, as job {dag.split('.')[0]}" in complaint
    htcondor().Schedd().act(htcondor().JobAction.Remove, [dag], ("by hand", 0))
    until = time.monotonic() + 120
    while place.client.get_run(run.info.run_id).info.status != "KILLED":
        assert time.monotonic() < until
        time.sleep(0.2)


@pytest.fixture
def files(ttbar_files: list[Path], tmp_path: Path) -> list[Path]:
    """Return five files of a few events each."""
    return written(ttbar_files, tmp_path, 5)


def written(ttbar_files: list[Path], folder: Path, count: int) -> list[Path]:
    branches = read_branches(ttbar_files[0], count * EVENTS)
    parts = [slice(first, first + EVENTS) for first in range(0, count * EVENTS, EVENTS)]
    return [
        write_ntuple(
            folder / f"file{number}.root", {name: each[part] for name, each in branches.items()}
        )
        for number, part in enumerate(parts)
    ]


def test_files_are_read_by_jobs_that_fail_and_are_tried_elsewhere(
    pool: Pool, empty_store: Path, files: list[Path], tmp_path: Path
) -> None:
    settings = f"data.files=[{tmp_path / 'file*.root'}] data.bad_files=skip"
    place = Place(tmp_path, empty_store, "ttbar", settings)
    (tmp_path / "file5.root").write_bytes(b"this is no ROOT file")
    here = place.begin("preprocess", "--overrides", f"{place.overrides} output={tmp_path / 'here'}")
    _, complaint = here.communicate(timeout=600)
    assert here.returncode == 0, complaint
    # Each job starts on a node that fails it first, and then on another.
    first_there = f'(MY.NumJobStarts > 0 || TARGET.Machine == "{second_node.NAME}")'
    there = {**second_node.BOTH_NODES, "requirements": first_there}
    place.write_profile(retries=1, job={**PROFILE["job"], **there})
    with second_node.broken(pool.directory):
        status, complaint = place.submit("preprocess", "--wait", "--gib-per-job", "1e-6")
    assert status == 0, complaint
    (folder,) = (tmp_path / "batch").iterdir()
    assert len(list(folder.glob("read-*.sub"))) == len(files)
    starts = (
        htcondor()
        .Schedd()
        .history(f'RootflowFolder == "{folder}" && JobUniverse == 5', ["NumJobStarts"])
    )
    assert [int(job["NumJobStarts"]) for job in starts] == [2] * (len(files) + 1)
    assert "read here" not in (folder / "preprocess" / "stderr.txt").read_text()
    assert content(tmp_path / "outputs" / "datasets") == content(tmp_path / "here" / "datasets")
    (run,) = [run for run in place.runs() if "htcondor.folder" in run.data.tags]
    assert run.data.tags["files_skipped"] == "1"
    assert run.data.metrics["events"] > 0


def content(datasets: Path) -> dict[str, bytes]:
    (dataset,) = (path for path in datasets.iterdir() if path.is_dir())
    return {f"{dataset.name}/{path.name}": path.read_bytes() for path in dataset.iterdir()}


def test_model_is_applied_to_files_by_jobs(
    pool: Pool,  # noqa: ARG001 - it has to be up
    empty_store: Path,
    ttbar_folds: Path,
    files: list[Path],
    tmp_path: Path,
) -> None:
    place = Place(tmp_path, empty_store)
    apply_to_all(place, ttbar_folds, files, "1e-6")
    (folder,) = (tmp_path / "batch").iterdir()
    assert len(list(folder.glob("share-*.sub"))) == len(files)


def apply_to_all(place: Place, model: Path, files: list[Path], gib_per_job: str) -> None:
    """Apply a model to files here and by jobs, and compare what is written."""
    here = place.begin(
        "apply", "--model", str(model), *map(str, files), str(place.directory / "here")
    )
    status, complaint = place.submit_with(
        *("apply", "--wait", "--gib-per-job", gib_per_job, "-P", f"model={model}"),
        *("-P", f"inputs={place.directory / 'file*.root'}"),
        *("-P", f"output={place.directory / 'there'}"),
    )
    _, said_here = here.communicate(timeout=600)
    assert here.returncode == 0, said_here
    assert status == 0, complaint
    for path in files:
        events = [
            list(map(str, read_written(folder / path.name, "ttree", "reco").to_list()))
            for folder in (place.directory / "here", place.directory / "there")
        ]
        assert events[0] == events[1]
        assert len(events[0]) == EVENTS
