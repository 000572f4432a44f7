"""Jobs log in to a real server, and leave no secret where others read it."""

import hashlib
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import mlflow
import optuna
import pytest
from mlflow.tracking import MlflowClient
from optuna.storages import RDBStorage
from sqlalchemy.pool import NullPool

from condor_pool import Pool
from databases import PostgreSQL
from ntuples import read_branches, write_ntuple
from servers import free_port, serve, stop
from studies import QUICK, TOY, wait_for
from toy_study import TOY_STUDY

PROJECT_OF_ROOTFLOW = Path(__file__).parents[2]
SMALL = "model.architecture=feed_forward model.width=8 training.epochs=1"

LONG = 600.0
TRIALS = 6
SECRETS = {
    name: hashlib.sha256(name.encode()).hexdigest()[:24]
    for name in (
        "server",
        "database",
        "token",
        "s3",
        "parameter",
        "repository",
        "bearer",
        "profile",
    )
}
LOGIN = {
    "MLFLOW_TRACKING_USERNAME": "ada",
    "MLFLOW_TRACKING_PASSWORD": SECRETS["server"],
}
AWS = {"AWS_ACCESS_KEY_ID": SECRETS["s3"], "AWS_SECRET_ACCESS_KEY": f"{SECRETS['s3']}/+"}
SETTINGS = """\
[mlflow]
default_permission = EDIT
database_uri = {database}
admin_username = ada
admin_password = {password}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""
PROJECT = """\
name: toy
entry_points:
  main:
    parameters: {storage: {type: string, default: none}}
    command: "python tell.py {storage}"
"""
# Says all that it knows wherever it can, and what it could do with that.
TELL = """\
import hashlib, json, os, pathlib, sys, time
import mlflow
names = ["MLFLOW_TRACKING_PASSWORD", "AWS_SECRET_ACCESS_KEY", "BEARER_TOKEN", "OF_PROFILE_TOKEN"]
values = [os.environ.get(name, "") for name in names]
scratch = pathlib.Path(os.environ["ROOTFLOW_RESULT"]).parent
with mlflow.start_run():
    mlflow.log_param("known", hashlib.sha256(" ".join(values).encode()).hexdigest()[:16])
    own = [p for p in scratch.rglob("*") if p.is_file() and p.name != "_condor_stderr"]
    for value in filter(None, values):
        print("it is", value, flush=True)
        sys.stdout.write(value[:9])
        sys.stdout.flush()
        time.sleep(0.1)
        print(value[9:], flush=True)
    seen = [p.name for p in own if p.stat().st_mode & 0o077
            and any(v and v.encode() in p.read_bytes() for v in values)]
    mlflow.log_param("seen", seen)
    print(dict(os.environ), sys.argv, file=sys.stderr, flush=True)
pathlib.Path(os.environ["ROOTFLOW_RESULT"]).write_text(json.dumps(values))
raise RuntimeError(f"cannot reach {os.environ['MLFLOW_TRACKING_URI']} with {values}")
"""


class Server(NamedTuple):
    """A server with basic authentication, which keeps runs in a database."""

    databases: PostgreSQL
    port: int
    artifacts: Path

    @property
    def uri(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("server")
    databases = PostgreSQL(place, SECRETS["database"])
    databases.start()
    for name in ("mlflow", "logins", "studies"):
        databases.ask("postgres", f"create database {name}")
    settings = place / "logins.ini"
    logins = databases.url("logins")
    settings.write_text(SETTINGS.format(database=logins, password=SECRETS["server"]))
    port = free_port()
    served = serve(
        *(place, port, databases.url("mlflow"), "--app-name", "basic-auth"),
        MLFLOW_AUTH_CONFIG_PATH=str(settings),
        MLFLOW_FLASK_SERVER_SECRET_KEY="of the tests",  # noqa: S106 - of no server
    )
    yield Server(databases, port, place / "artifacts")
    stop(served)
    databases.stop()


@pytest.fixture
def small_ntuple(ttbar_files: list[Path], tmp_path: Path) -> Path:
    """Return a ROOT file with a few events."""
    return write_ntuple(tmp_path / "small.root", read_branches(ttbar_files[0], 2000))


@pytest.fixture
def project(workspace: Path) -> Path:
    """Return a project that was cloned with a token."""
    folder = workspace / "toy"
    folder.mkdir()
    (folder / "MLproject").write_text(PROJECT)
    (folder / "tell.py").write_text(TELL)
    origin = f"https://oauth2:{SECRETS['repository']}@gitlab.example.org/ada/toy.git"
    for words in (["init", "-q"], ["remote", "add", "origin", origin], ["add", "."]):
        subprocess.run(["git", "-C", folder, *words], check=True)
    author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", "-C", folder, *author, "commit", "-qm", "Begin"], check=True)
    return folder


def profile(files: str) -> dict[str, Any]:
    return {
        "files": files,
        "credentials": ["mlflow", "s3"],
        "pass_environment": ["BEARER_*"],
        "job": {
            "memory_gib": 0.5,
            "disk_gib": 0.1,
            "environment": {"OF_PROFILE_TOKEN": SECRETS["profile"]},
        },
    }


def known(password: str) -> str:
    values = [password, AWS["AWS_SECRET_ACCESS_KEY"], SECRETS["bearer"], SECRETS["profile"]]
    return hashlib.sha256(" ".join(values).encode()).hexdigest()[:16]


def files_with_secrets(*folders: Path, of_owner: bool) -> list[str]:
    """Return the files with a secret, those that only their owner reads included or not."""
    return [
        str(path)
        for folder in folders
        for path in folder.rglob("*")
        if has_secret(path, of_owner=of_owner)
    ]


def has_secret(path: Path, *, of_owner: bool) -> bool:
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or not (of_owner or status.st_mode & 0o077):
            return False
        content = path.read_bytes()
    except OSError:  # it has gone meanwhile
        return False
    return any(secret.encode() in content for secret in SECRETS.values())


def submit(project: Path, uri: str, files: str) -> Any:
    mlflow.set_tracking_uri(uri)
    storage = f"postgresql://ada:{SECRETS['parameter']}@host/studies"
    return mlflow.projects.run(
        str(project),
        parameters={"storage": storage},
        backend="htcondor",
        backend_config=profile(files),
        synchronous=False,
    )


def test_no_secret_is_left_anywhere(
    server: Server, project: Path, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**AWS, "BEARER_TOKEN": SECRETS["bearer"]}.items():
        monkeypatch.setenv(name, value)
    with_password = server.uri.replace("//", f"//ada:{SECRETS['server']}@")
    runs = {submit(project, with_password, "shared"): ""}
    for name, value in {**LOGIN, "MLFLOW_TRACKING_TOKEN": SECRETS["token"]}.items():
        monkeypatch.setenv(name, value)
    for files in ("transfer", "spool"):
        runs[submit(project, server.uri, files)] = SECRETS["server"]
    places = (project.parent / "outputs", pool.directory)
    until = time.monotonic() + LONG
    while any(run.get_status() in ("SCHEDULED", "RUNNING") for run in runs):
        assert files_with_secrets(*places, of_owner=False) == []
        assert time.monotonic() < until
        time.sleep(0.2)
    client = MlflowClient(server.uri)
    for run, password in runs.items():
        assert not run.wait()
        told = client.get_run(run.run_id)
        assert told.info.status == "FAILED"
        assert told.data.params["known"] == known(password)
        assert told.data.params["seen"] == "[]"
        assert "postgresql://ada:***@host/studies" in told.data.params["storage"]
        assert (
            told.data.tags["mlflow.source.git.repoURL"] == "https://gitlab.example.org/ada/toy.git"
        )
        assert "cannot reach http://" in told.data.tags["htcondor.reason"]
        said = mlflow.artifacts.load_text(f"runs:/{run.run_id}/job/stdout.txt")
        assert said.count("it is ***\n***\n") == (4 if password else 3)
    assert files_with_secrets(*places, server.artifacts, of_owner=True) == []
    kept = server.databases.everything_in("mlflow")
    assert all(run.run_id in kept for run in runs)
    assert [name for name, secret in SECRETS.items() if secret in kept] == []


def test_a_training_logs_in(
    server: Server, small_ntuple: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**LOGIN, "MLFLOW_TRACKING_URI": server.uri}.items():
        monkeypatch.setenv(name, value)
    mlflow.set_tracking_uri(server.uri)
    settings = f"data.files=[{small_ntuple}] output={workspace / 'outputs'} {SMALL}"
    run = mlflow.projects.run(
        str(PROJECT_OF_ROOTFLOW),
        "train",
        parameters={"max_steps": "2", "overrides": settings},
        experiment_name="ttbar",
        backend="htcondor",
        backend_config={"job": {"memory_gib": 2, "disk_gib": 0.1}},
    )
    client = MlflowClient(server.uri)
    told = client.get_run(run.run_id)
    assert told.info.status == "FINISHED"
    assert told.data.params["model.width"] == "8"
    assert "validation_loss" in told.data.metrics
    assert {"model.keras", "job"} <= {each.path for each in client.list_artifacts(run.run_id)}


def test_a_study_in_a_database_that_goes_away(
    server: Server, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIES_PASSWORD", SECRETS["database"])
    monkeypatch.setenv("TOY", '{"seconds": 0.3}')
    for name, value in {**LOGIN, "MLFLOW_TRACKING_URI": server.uri}.items():
        monkeypatch.setenv(name, value)
    kept = server.databases.url("studies")
    trials = workspace / "outputs" / "studies" / "toy" / "trials"
    said = workspace / "said.txt"

    def drive() -> "subprocess.Popen[bytes]":
        named = kept.replace(SECRETS["database"], "$STUDIES_PASSWORD")
        settings = [*QUICK, f"tune.trials={TRIALS}", f"tune.storage={named}"]
        command = [sys.executable, str(TOY_STUDY), str(TOY), *settings]
        with said.open("ab") as stream:
            return subprocess.Popen(command, stdout=stream, stderr=stream)

    first = drive()
    wait_for(trials / "00001" / "progress.jsonl", LONG)
    first.kill()
    first.wait()
    second = drive()
    wait_for(trials / "00004" / "trial.json", LONG)
    second.send_signal(signal.SIGSTOP)  # so that it cannot end before
    server.databases.stop()
    second.send_signal(signal.SIGCONT)
    while "database is away" not in said.read_text():
        assert second.poll() is None, said.read_text()
        time.sleep(0.1)
    server.databases.start()
    # What was being asked for when it went away ends the driver, which says how to go on.
    while second.wait() != 0:
        assert "the same command goes on with the study" in said.read_text(), said.read_text()
        second = drive()
    storage = RDBStorage(kept, engine_kwargs={"poolclass": NullPool})
    trials_there = optuna.load_study(study_name="toy", storage=storage).trials
    assert [trial.number for trial in trials_there] == list(range(TRIALS))
    assert {trial.state.name for trial in trials_there} == {"COMPLETE"}
    experiment = MlflowClient(server.uri).get_experiment_by_name("ttbar")
    assert experiment is not None
    wanted = "tags.`rootflow.trial` LIKE '%'"
    runs = MlflowClient(server.uri).search_runs([experiment.experiment_id], wanted)
    of_trials = {int(run.data.tags["rootflow.trial"]): run for run in runs}
    assert len(runs) == len(of_trials) == TRIALS
    for trial in trials_there:
        assert of_trials[trial.number].data.metrics["loss"] == trial.value
    assert SECRETS["database"] not in said.read_text() + server.databases.everything_in("studies")
    assert files_with_secrets(workspace / "outputs", server.artifacts, of_owner=True) == []
