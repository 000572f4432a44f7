"""`mlflow run --backend htcondor` on the real pool, with a project of its own."""

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import psutil
import pytest
from mlflow.entities import Run
from mlflow.exceptions import ExecutionException
from mlflow.tracking import MlflowClient

from pool_processes import files_on_nodes
from rootflow.batch.contract import read
from rootflow.batch.schedd import htcondor
from rootflow.tracking import carried

LONG = 180.0
JOB = {"memory_gib": 0.5, "disk_gib": 0.1}
SHARED: dict[str, Any] = {"files": "shared", "job": JOB}
CARRIED: dict[str, Any] = {"files": "transfer", "tracking": "spool", "job": JOB}
PROJECT = """\
name: toy
entry_points:
  main:
    parameters:
      name: {type: string, default: nobody}
      until: {type: string, default: /}
    command: "echo hello {name} from $MLFLOW_RUN_ID;
      until test -e {until}; do sleep 0.2; done; cat greeting.txt"
  fail: {command: "python -c 'raise ValueError(\\"no jets\\")'"}
  greedy: {command: "python -c 'x = bytearray(600 * 2**20); import time; time.sleep(30)'"}
  log: {command: "python log.py"}
  grow:
    parameters: {place: string}
    command: "python grow.py {place}"
  rename:
    parameters: {name: string}
    command: "python rename.py {name}"
"""
# Goes on from what it has written, and changes one of the files that it came with.
GROW = """\
import json, pathlib, sys, time
made = pathlib.Path(sys.argv[1])
state = made / "deep" / "state.json"
state.parent.mkdir(parents=True, exist_ok=True)
epochs = json.loads(state.read_text()) if state.exists() else []
while len(epochs) < 6:
    epochs.append(len(epochs))
    state.write_text(json.dumps(epochs))
    with (made / "starts.txt").open("a") as starts:
        starts.write(f"{epochs[-1]}\\n")
    time.sleep(0.5)
pathlib.Path("greeting.txt").write_text("good night")
(made / ".lock").touch()
"""
LOG = """\
import mlflow
with mlflow.start_run():
    mlflow.log_param("model", "transformer")
    for epoch in range(3):
        mlflow.log_metric("loss", 1 / (epoch + 1), step=epoch)
    mlflow.log_text("four leptons", "notes/selection.txt")
    with mlflow.start_run(nested=True, run_name="fold 0"):
        mlflow.log_metric("auc", 0.9)
"""
RENAME = """\
import os, sys
from mlflow.tracking import MlflowClient
client, run_id = MlflowClient(), os.environ["MLFLOW_RUN_ID"]
run = client.get_run(run_id)
assert run.data.params["name"] == sys.argv[1]
client.set_tag(run_id, "seen", run.info.run_name)
if sys.argv[1] != "none":
    client.update_run(run_id, name=sys.argv[1])
"""

Submit = Callable[..., Any]


@pytest.fixture
def project(workspace: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project; the working directory has a store of its own."""
    shutil.copyfile(empty_store, workspace / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace}/mlflow.db")
    mlflow.set_tracking_uri(f"sqlite:///{workspace}/mlflow.db")
    folder = workspace / "toy"
    folder.mkdir()
    (folder / "MLproject").write_text(PROJECT)
    (folder / "log.py").write_text(LOG)
    (folder / "grow.py").write_text(GROW)
    (folder / "rename.py").write_text(RENAME)
    (folder / "greeting.txt").write_text("good morning")
    return folder


@pytest.fixture
def submit(project: Path) -> Submit:
    """Return how to run an entry point as a job; the profile's words come by name."""

    def run(
        entry_point: str, profile: dict[str, Any], *, wait: bool = True, **parameters: Any
    ) -> Any:
        return mlflow.projects.run(
            str(project),
            entry_point,
            parameters=parameters,
            backend="htcondor",
            backend_config=dict(profile),
            synchronous=wait,
        )

    return run


def the_run() -> Run:
    [run] = MlflowClient().search_runs(["0"], max_results=2)
    return run


def text_of(run_id: str, name: str) -> str:
    return str(mlflow.artifacts.load_text(f"runs:/{run_id}/{name}"))


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def jobs_in_pool() -> int:
    return len(htcondor().Schedd().query(projection=["ClusterId"]))


@pytest.mark.usefixtures("pool")
@pytest.mark.parametrize(
    "profile", [SHARED, {**CARRIED, "tracking": "server"}], ids=["shared", "transfer"]
)
def test_a_run_says_what_its_job_did(submit: Submit, profile: dict[str, Any]) -> None:
    run_id = submit("main", profile, name="Ada").run_id
    run = the_run()
    assert (run.info.run_id, run.info.status) == (run_id, "FINISHED")
    assert run.data.params == {"name": "Ada", "until": "/"}
    assert run.data.tags["mlflow.project.backend"] == "htcondor"
    assert run.data.tags["htcondor.job"].partition(".")[0].isdigit()
    assert run.data.tags["htcondor.host"]
    assert run.data.tags["htcondor.state"] == "done"
    assert run.data.metrics["job/wall_seconds"] > 0
    assert run.data.metrics["job/memory_mib"] > 0
    assert run.data.metrics["job/starts"] == 1
    assert text_of(run_id, "job/stdout.txt") == f"hello Ada from {run_id}\ngood morning"
    assert "Job executing on host" in text_of(run_id, "job/events.txt")


@pytest.mark.usefixtures("pool")
def test_a_failed_run_says_why(submit: Submit) -> None:
    with pytest.raises(ExecutionException, match="failed"):
        submit("fail", SHARED)
    run = the_run()
    assert run.info.status == "FAILED"
    assert run.data.tags["htcondor.reason"] == "exit code 1: ValueError: no jets"
    assert "ValueError: no jets" in text_of(run.info.run_id, "job/stderr.txt")


@pytest.mark.usefixtures("pool")
def test_a_run_that_is_not_waited_for_is_followed_all_the_same(
    submit: Submit, tmp_path: Path
) -> None:
    submitted = submit("main", SHARED, wait=False, until=str(tmp_path / "may_end"))
    assert submitted.get_status() in {"SCHEDULED", "RUNNING"}
    until(lambda: submitted.get_status() == "RUNNING")
    (tmp_path / "may_end").touch()
    until(lambda: submitted.get_status() == "FINISHED")
    assert submitted.wait()


@pytest.mark.usefixtures("pool")
def test_a_cancelled_run_is_killed_and_its_job_removed(submit: Submit) -> None:
    nowhere = {**SHARED, "job": {**JOB, "requirements": 'Machine == "nowhere"'}}
    submitted = submit("main", nowhere, wait=False)
    assert submitted.get_status() == "SCHEDULED"
    assert jobs_in_pool() == 1
    submitted.cancel()
    assert submitted.get_status() == "KILLED"
    assert jobs_in_pool() == 0
    assert the_run().data.tags["htcondor.reason"].startswith("cancelled through MLflow")


@pytest.mark.usefixtures("pool")
def test_deleting_the_run_removes_the_job(submit: Submit) -> None:
    submitted = submit("main", SHARED, wait=False, until="/never")
    MlflowClient().delete_run(submitted.run_id)
    until(lambda: jobs_in_pool() == 0)


@pytest.mark.usefixtures("pool")
def test_another_process_follows_when_the_first_is_killed(submit: Submit, tmp_path: Path) -> None:
    submitted = submit("main", SHARED, wait=False, until=str(tmp_path / "may_end"))
    until(lambda: submitted.get_status() == "RUNNING")
    [lock] = submitted.folder.parent.glob("following/*/lock")
    psutil.Process(int(lock.read_text())).kill()
    (tmp_path / "may_end").touch()
    assert submitted.wait()
    assert the_run().info.status == "FINISHED"


@pytest.mark.usefixtures("pool")
def test_a_job_that_is_given_up_has_failed_with_the_explanation(submit: Submit) -> None:
    with pytest.raises(ExecutionException, match="failed"):
        submit("greedy", {**SHARED, "limits": {"memory_gib": 0.5}})
    run = the_run()
    assert run.info.status == "FAILED"
    assert "limits.memory_gib allows no more" in run.data.tags["htcondor.reason"]
    assert jobs_in_pool() == 0


@pytest.mark.usefixtures("pool")
def test_without_a_server_what_a_job_logs_comes_back_with_it(submit: Submit) -> None:
    run_id = submit("log", CARRIED).run_id
    client = MlflowClient()

    def check() -> None:
        runs = {run.info.run_id: run for run in client.search_runs(["0"])}
        run = runs.pop(run_id)
        assert run.info.status == "FINISHED"
        assert run.data.params == {"model": "transformer"}
        history = client.get_metric_history(run_id, "loss")
        assert [(m.step, m.value) for m in history] == [(0, 1), (1, 0.5), (2, 1 / 3)]
        assert text_of(run_id, "notes/selection.txt") == "four leptons"
        [child] = runs.values()
        assert (child.info.run_name, child.info.status) == ("fold 0", "FINISHED")
        assert child.data.tags["mlflow.parentRunId"] == run_id
        assert child.data.metrics == {"auc": 0.9}

    check()
    folder = Path(client.get_run(run_id).data.tags["htcondor.folder"])
    carried.deliver(folder / "job" / "tracking", run_id, client)
    check()


@pytest.mark.usefixtures("pool")
def test_without_shared_files_a_job_goes_on_and_what_it_made_comes_home(
    submit: Submit, project: Path
) -> None:
    before = {path.name for path in project.iterdir()}
    jobs = {
        files: submit("grow", {**CARRIED, "files": files}, wait=False, place=files)
        for files in ("transfer", "spool")
    }
    schedd, vacate = htcondor().Schedd(), htcondor().JobAction.Vacate
    for files, job in jobs.items():
        until(partial(has_begun, files))
        schedd.act(vacate, [job.job_id], ("by hand", 0))
    for files, job in jobs.items():
        assert job.wait()
        assert MlflowClient().get_run(job.run_id).data.metrics["job/starts"] == 2
        made = project / files
        # None of them twice: it went on where it was.
        assert (made / "starts.txt").read_text().split() == [str(epoch) for epoch in range(6)]
        assert json.loads((made / "deep" / "state.json").read_text()) == list(range(6))
        assert not (made / ".lock").exists()
        came = (job.folder / "job" / "project").iterdir()
        assert {path.name for path in came} == {"greeting.txt", files}
    assert (project / "greeting.txt").read_text() == "good night"
    assert {path.name for path in project.iterdir()} == before | set(jobs)


def has_begun(place: str) -> bool:
    """Return whether a job on a node has written what it can go on from."""
    files = [path for path in files_on_nodes("starts.txt") if path.parent.name == place]
    return any(read(path).count("\n") >= 2 for path in files)


@pytest.mark.usefixtures("pool")
def test_a_run_keeps_its_name_and_what_is_said_of_it_meanwhile(submit: Submit) -> None:
    client = MlflowClient()
    runs = [
        submit("rename", {**CARRIED, "files": files}, wait=False, name=name)
        for name, files in (("none", "transfer"), ("none", "spool"), ("own", "transfer"))
    ]
    names = [client.get_run(run.run_id).info.run_name for run in runs]
    for run in runs:
        client.set_tag(run.run_id, "mlflow.note.content", "a night shift's")
        assert run.wait()
    ended = [client.get_run(run.run_id) for run in runs]
    assert [run.info.run_name for run in ended] == [*names[:2], "own"]
    assert len(set(names)) == 3
    for run, was in zip(ended, names, strict=True):
        assert run.data.tags["mlflow.note.content"] == "a night shift's"
        assert run.data.tags["seen"] == was  # the job saw its run as it is
        assert run.data.tags["mlflow.runName"] == run.info.run_name


def test_a_local_profile_runs_the_same_here(submit: Submit) -> None:
    run_id = submit("main", {"executor": "local"}, name="Ada").run_id
    assert the_run().info.status == "FINISHED"
    assert text_of(run_id, "job/stdout.txt") == f"hello Ada from {run_id}\ngood morning"


@pytest.mark.parametrize(
    ("profile", "complaint"),
    [
        ({"job": {"ram": 2}}, r"--backend-config: job.ram: unknown key.*memory_gib"),
        ({**CARRIED, "executor": "local", "inputs": ["gone"]}, "gone is not there"),
    ],
)
def test_a_wrong_profile_is_one_line(
    submit: Submit, profile: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(ExecutionException, match=complaint) as error:
        submit("main", profile)
    assert "\n" not in str(error.value)
    statuses = {run.info.status for run in MlflowClient().search_runs(["0"])}
    assert statuses <= {"FAILED"}


def test_no_pool_is_one_line_and_a_failed_run(
    submit: Submit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONDOR_CONFIG", str(tmp_path / "gone"))
    with pytest.raises(ExecutionException, match="gone is not there; start a pool"):
        submit("main", SHARED)
    assert the_run().info.status == "FAILED"


@pytest.mark.usefixtures("pool")
def test_the_command_line_returns_when_the_job_ended_where_asked(project: Path) -> None:
    profile = project / "profile.json"
    profile.write_text('{"wait": true, "job": {"memory_gib": 0.2}}')
    command = ["mlflow", "run", str(project), "--backend", "htcondor", "--backend-config"]
    answer = subprocess.run([*command, str(profile)], capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stderr
    run = the_run()
    assert run.info.status == "FINISHED"
    assert f"run {run.info.run_id} is job {run.data.tags['htcondor.job']}" in answer.stderr
