"""`rootflow submit --each` and `rootflow jobs`, on the real pool and as processes here."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner
from mlflow.tracking import MlflowClient

from rootflow.batch.schedd import htcondor
from rootflow.commands.jobs import jobs, submit
from rootflow.errors import UsageError

LONG = 180.0
TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
PROJECT = """\
name: toy
entry_points:
  main:
    parameters:
      overrides: {type: string, default: ""}
      until: {type: string, default: /}
    command: "until test -e {until}; do sleep 0.2; done; echo {overrides} > made.txt"
  settings:
    parameters:
      overrides: {type: string, default: ""}
      max_steps: {type: string, default: ""}
    command: "python -m rootflow train --config own.yaml training.max_steps={max_steps}
      --overrides {overrides}"
"""
WORDS: dict[str, Any] = {"job": {"memory_gib": 0.2, "disk_gib": 0.1}}


@pytest.fixture
def project(workspace: Path, empty_store: Path) -> Path:
    shutil.copyfile(empty_store, workspace / "mlflow.db")
    (workspace / "MLproject").write_text(PROJECT)
    (workspace / "own.yaml").write_text(f"base: {TTBAR}\n")
    (workspace / "shared.json").write_text(json.dumps(WORDS))
    (workspace / "carried.json").write_text(
        json.dumps({**WORDS, "files": "transfer", "outputs": ["made.txt"]})
    )
    (workspace / "here.json").write_text(json.dumps({"executor": "local", "files": "transfer"}))
    return workspace


@pytest.fixture
def go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file that jobs wait for, outside of what they carry."""
    return tmp_path_factory.mktemp("go") / "go"


def rootflow(command: Any, *arguments: str) -> str:
    answer = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def listed() -> dict[str, dict[str, Any]]:
    rows = json.loads(rootflow(jobs, "--json"))["jobs"]
    return {row["name"]: row for row in rows}


def until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def statuses() -> dict[str, str]:
    runs = MlflowClient().search_runs(["0"])
    return {str(run.info.run_name): run.info.status for run in runs}


@pytest.mark.usefixtures("pool")
def test_many_runs_are_one_submission_and_one_table(project: Path, go: Path) -> None:
    lines = ["model.depth=2", "model.depth=3 seed=5", "seed=6"]
    (project / "each.txt").write_text("# depths\n\n" + "\n".join(lines) + "\n")
    rootflow(submit, "main", "--profile", "carried.json", "--each", "each.txt", "-P",
             f"until={go}")  # fmt: skip
    ads = htcondor().Schedd().query(projection=["ClusterId", "JobBatchName"])
    assert len({ad["ClusterId"] for ad in ads}) == 1
    assert sorted(str(ad["JobBatchName"]) for ad in ads) == sorted(lines)
    assert len(list((project / "outputs" / "batch" / "archives").iterdir())) == 1
    until(lambda: {row["state"] for row in listed().values()} == {"running"})

    first = listed()[lines[0]]
    assert first["host"]
    assert first["since"]
    htcondor().Schedd().act(htcondor().JobAction.Hold, [first["job"]], ("for lunch", 0))
    until(lambda: listed()[lines[0]]["state"] == "held")
    assert "for lunch" in listed()[lines[0]]["why"]
    assert f"condor_release {first['job']}" in listed()[lines[0]]["why"]
    assert "held by hand: condor_release" in rootflow(jobs)
    until(lambda: statuses()[lines[0]] == "SCHEDULED")

    go.touch()
    htcondor().Schedd().act(htcondor().JobAction.Release, [first["job"]], ("", 0))
    until(lambda: set(statuses().values()) == {"FINISHED"})
    assert set(statuses()) == set(lines)
    assert {row["state"] for row in listed().values()} == {"done"}


def test_what_has_ended_is_cleaned_but_for_what_it_made(project: Path, go: Path) -> None:
    folder = project / "outputs" / "batch"
    for name in ("one", "two"):
        (project / f"{name}.txt").write_text(f"seed={name}\n")
        rootflow(submit, "main", "--profile", "here.json", "--each", f"{name}.txt", "--wait")
    words = json.loads((project / "here.json").read_text()) | {"outputs": ["made.txt"]}
    (project / "here.json").write_text(json.dumps(words))
    rootflow(submit, "main", "--profile", "here.json", "--wait")
    rootflow(submit, "main", "--profile", "here.json", "-P", f"until={go}")
    # One process for all, which knows nothing of MLflow.
    [lock] = folder.glob("following/*/lock")
    follower = psutil.Process(int(lock.read_text()))
    assert [word for word in follower.cmdline() if word.startswith("rootflow.")] == [
        "rootflow.following"
    ]
    assert not [file.path for file in follower.memory_maps() if "sqlalchemy" in file.path]
    archives = list((folder / "archives").iterdir())
    assert len({row["state"] for row in listed().values()} & {"done", "running"}) == 2
    cleaned = json.loads(rootflow(jobs, "--clean", "--json"))
    assert cleaned["freed"].endswith(" MiB")
    made = [project / path for path in cleaned["kept what jobs made"]]
    texts = {(path / "made.txt" if path.is_dir() else path).read_text() for path in made}
    assert texts == {"seed=one\n", "seed=two\n", "\n"}
    kept = {path.relative_to(folder).parts[0] for path in made}
    files = [path for run in kept for path in (folder / run).rglob("*") if path.is_file()]
    assert all(any(path.is_relative_to(each) for each in made) for path in files)
    [left] = {path.name for path in folder.glob("*/") if len(path.name) == 32} - kept
    assert MlflowClient().get_run(left).info.status != "FINISHED"
    needed = set((folder / "archives").iterdir())
    assert needed
    assert needed < set(archives)
    follower.kill()
    follower.wait()
    assert listed()  # which has the jobs followed again
    go.touch()
    until(lambda: MlflowClient().get_run(left).info.status == "FINISHED")


def test_wrong_settings_are_found_before_anything_is_submitted(project: Path) -> None:
    (project / "each.txt").write_text("seed=5\nmodel.dept=3\n")
    words = ("settings", "--profile", "shared.json")
    for more, complaint in (
        (("--each", "each.txt"), r"model\.dept=3: .*model\.dept: unknown key.*depth"),
        (("-P", "overrides=training.epochs=none"), r"training\.epochs: Input should be"),
        (("-P", "max_steps=few"), r"training\.max_steps: Input should be"),
        (("-P", "overrides='"), "--overrides"),
    ):
        for dry_run in ((), ("--dry-run",)):
            with pytest.raises(UsageError, match=complaint):
                rootflow(submit, *words, *more, *dry_run)
    (project / "none.txt").write_text("# nothing\n")
    with pytest.raises(UsageError, match=r"none\.txt: it has no line with settings"):
        rootflow(submit, *words, "--each", "none.txt")
    with pytest.raises(UsageError, match=r"--each gone\.txt: cannot be read: No such file"):
        rootflow(submit, *words, "--each", "gone.txt")
    assert MlflowClient().search_runs(["0"]) == []
    assert not (project / "outputs").exists()
