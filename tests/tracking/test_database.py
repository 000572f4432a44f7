"""Tracking databases that are missing, older, moved, damaged, or no databases at all."""

import contextlib
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.script import ScriptDirectory
from mlflow.store.db import utils as mlflow_database
from mlflow.store.tracking.dbmodels.initial_models import Base as InitialBase
from mlflow.tracking import MlflowClient

from own_mounts import OWN_MOUNTS, needs_mounts
from rootflow.errors import RootflowError, UsageError
from rootflow.tracking import artifact_of
from rootflow.tracking.connection import connect

OLDER = 20  # migrations before today's

Make = Callable[[Path], object]


def text(path: Path) -> None:
    path.write_text("this is a text, and it is long enough to be taken for a header of pages")


def of_something_else(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as store:
        store.execute("CREATE TABLE grades (name TEXT)")
        store.commit()


def of_a_newer_mlflow(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as store:
        store.execute("UPDATE alembic_version SET version_num = 'abcdef012345'")
        store.commit()


def cut(path: Path, bytes_lost: int) -> None:
    path.write_bytes(path.read_bytes()[:-bytes_lost])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (text, "is no tracking database, or a damaged one: file is not a database"),
        (of_something_else, "is a database of something else than MLflow"),
        (Path.mkdir, "cannot be opened: unable to open database file"),
    ],
)
def test_what_is_no_tracking_database_is_one_line(workspace: Path, make: Make, said: str) -> None:
    make(workspace / "mlflow.db")
    with pytest.raises(RootflowError, match=said) as failure:
        connect()
    assert "\n" not in str(failure.value)
    assert str(workspace / "mlflow.db") in str(failure.value)


@pytest.mark.parametrize("bytes_lost", [1, 3000, 100_000, 500_000])
def test_a_truncated_database_is_one_line(
    workspace: Path, empty_store: Path, bytes_lost: int
) -> None:
    store = Path(shutil.copy(empty_store, workspace / "mlflow.db"))
    cut(store, bytes_lost)
    with pytest.raises(RootflowError, match=r"is cut off: it has \d+ of|damaged") as failure:
        connect()
    assert "\n" not in str(failure.value)


def test_a_database_of_a_newer_mlflow_is_left_alone(workspace: Path, empty_store: Path) -> None:
    store = Path(shutil.copy(empty_store, workspace / "mlflow.db"))
    of_a_newer_mlflow(store)
    before = store.read_bytes()
    with pytest.raises(RootflowError, match="was made by a newer MLflow than"):
        connect()
    assert store.read_bytes() == before


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("postgresql+pg8000://me:secret@localhost/mlflow", "needs the driver pg8000: install it"),
        ("mysql://me:secret@localhost/mlflow", r"pip install mysqlclient"),
        ("mysql+nothing://me:secret@localhost/mlflow", r"there is no driver mysql\+nothing"),
        ("postgresql://me:secret@localhost:port/mlflow", "is not DIALECT://USER:PASSWORD"),
        ("sqlite://", "names no database"),
        ("sqlite:///:memory:", "names no database"),
    ],
)
def test_uris_that_cannot_be_opened_are_one_line_without_the_password(
    uri: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(UsageError, match=said) as failure:
        connect()
    assert "secret" not in str(failure.value)
    assert "\n" not in str(failure.value)


def test_an_older_database_is_migrated_after_saying_so_and_keeping_a_copy(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = make_older(workspace / "mlflow.db")
    assert {each.name for each in connect().search_experiments()} == {"Default", "kept"}
    said = capsys.readouterr().err
    assert "was made by an older MLflow: migrating it" in said
    copy = workspace / f"mlflow.db.{older}"
    assert str(copy) in said
    assert rows(copy, "SELECT version_num FROM alembic_version") == [(older,)]
    assert rows(copy, "SELECT name FROM experiments WHERE experiment_id = 1") == [("kept",)]
    connect()
    assert capsys.readouterr().err == ""


def make_older(path: Path) -> str:
    """Make a database as an older MLflow made it, and return which."""
    engine = sqlalchemy.create_engine(f"sqlite:///{path}")
    config = mlflow_database._get_alembic_config(f"sqlite:///{path}")
    newest_first = ScriptDirectory.from_config(config).walk_revisions()
    older = [script.revision for script in newest_first][OLDER]
    InitialBase.metadata.create_all(engine)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, older)
    engine.dispose()
    with contextlib.closing(sqlite3.connect(path)) as store:
        name = "INSERT INTO experiments (experiment_id, name, lifecycle_stage) VALUES "
        store.execute(f"{name} (0, 'Default', 'active'), (1, 'kept', 'active')")
        store.commit()
    return str(older)


def rows(path: Path, query: str) -> list[tuple[str, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as store:
        return store.execute(query).fetchall()


def logged_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Log a run with an artifact and a registered model in the store of a folder."""
    monkeypatch.chdir(project)
    client = connect()
    known = client.get_experiment_by_name("ttbar")
    experiment = known.experiment_id if known else client.create_experiment("ttbar")
    run_id = str(client.create_run(experiment).info.run_id)
    client.log_text(run_id, "hello", "greeting.txt")
    return run_id


@pytest.mark.parametrize("move", [shutil.move, shutil.copytree])
def test_a_project_that_was_moved_or_copied_works_where_it_lies(
    move: Callable[[Path, Path], object],
    workspace: Path,
    empty_store: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = workspace / "first", workspace / "second"
    first.mkdir()
    shutil.copy(empty_store, first / "mlflow.db")
    run_id = logged_run(first, monkeypatch)
    monkeypatch.chdir(workspace)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")  # which MLflow sets, once it was told
    move(first, second)
    files = sorted(first.rglob("*"))
    later = logged_run(second, monkeypatch)
    assert f"its artifacts are now those in {second}/mlruns" in capsys.readouterr().err
    for logged in (run_id, later):
        greeting = artifact_of(logged, "greeting.txt", second / logged)
        assert greeting.read_text() == "hello"
        assert list((second / "mlruns").glob(f"*/{logged}/artifacts/greeting.txt"))
    assert sorted(first.rglob("*")) == files
    connect()
    assert "its artifacts are now" not in capsys.readouterr().err, "it is said once"


def test_a_database_that_is_used_from_another_folder_is_not_taken_for_moved(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / "here").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'elsewhere' / 'mlflow.db'}")
    run_id = logged_run(workspace / "here", monkeypatch)
    connect()
    assert "its artifacts are now" not in capsys.readouterr().err
    assert list((workspace / "here" / "mlruns").glob(f"*/{run_id}/artifacts/greeting.txt"))
    assert artifact_of(run_id, "greeting.txt", workspace / "fetched").read_text() == "hello"


def test_artifacts_that_are_no_longer_there_are_told_with_their_place(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = logged_run(workspace, monkeypatch)
    (workspace / "mlruns").rename(workspace / "away")
    with pytest.raises(UsageError, match=f"run {run_id} has no files in {workspace}/mlruns/"):
        artifact_of(run_id, "greeting.txt", workspace / "fetched")


def test_first_commands_from_different_folders_make_one_new_database(workspace: Path) -> None:
    code = "from rootflow.tracking.connection import connect; connect().create_experiment({!r})"
    uri = f"sqlite:///{workspace / 'mlflow.db'}"
    processes = []
    for name in ("one", "two"):
        (workspace / name).mkdir()
        command = [sys.executable, "-c", code.format(name)]
        processes.append(
            subprocess.Popen(command, cwd=workspace / name, env={"MLFLOW_TRACKING_URI": uri})
        )
    assert [process.wait(timeout=240) for process in processes] == [0, 0]
    names = {each.name for each in MlflowClient(uri).search_experiments()}
    assert {"one", "two"} <= names


def test_a_working_folder_that_may_not_be_written_does_not_matter(
    workspace: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (workspace / "store").mkdir()
    shutil.copy(empty_store, workspace / "store" / "mlflow.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'store' / 'mlflow.db'}")
    before = sorted(workspace.iterdir())
    assert connect().search_experiments()
    assert sorted(workspace.iterdir()) == before, "nothing is written into the working folder"


@needs_mounts
def test_a_full_disk_is_one_line(workspace: Path, empty_store: Path) -> None:
    code = """
import sys
from rootflow.errors import RootflowError
from rootflow.tracking.connection import connect, server_must_answer
try:
    client = connect()
    with server_must_answer():
        for number in range(1000):
            client.create_experiment(f"{number:04} " + "x" * 200)
except RootflowError as error:
    sys.exit(str(error))
"""
    disk = workspace / "disk"
    disk.mkdir()
    size = empty_store.stat().st_size // 1024 + 40
    script = (
        f"mount -t tmpfs -o size={size}k tmpfs {disk}; cp {empty_store} {disk}/mlflow.db;"
        f"cd {disk}; exec {sys.executable} -c '{code}'"
    )
    failed = subprocess.run(
        [*OWN_MOUNTS, script], capture_output=True, text=True, env={}, check=False
    )
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-1].startswith(f"tracking database sqlite:///{disk}")
    assert "full" in failed.stderr.splitlines()[-1]
    assert "Traceback" not in failed.stderr
