"""`rootflow submit` and `rootflow follow`."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from mlflow.tracking import MlflowClient

from rootflow.commands.jobs import follow, submit
from rootflow.errors import RootflowError, UsageError

PROJECT = """\
name: toy
entry_points:
  main:
    parameters: {word: {type: string, default: hello}}
    command: "echo {word}"
  fail: {command: "false"}
"""
LOCAL = '{"executor": "local"}'
ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(workspace: Path) -> Path:
    (workspace / "MLproject").write_text(PROJECT)
    (workspace / "here.json").write_text(LOCAL)
    (workspace / "site.yaml").write_text("{files: transfer, tracking: spool, job: {cpus: 3}}")
    return workspace


def rootflow_submit(*arguments: str) -> str:
    answer = CliRunner().invoke(submit, arguments, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    return answer.stdout


def test_a_dry_run_prints_the_submit_file_and_leaves_nothing(project: Path) -> None:
    before = sorted(project.iterdir())
    said = rootflow_submit("main", "--profile", "site.yaml", "--dry-run", "-P", "word=jets")
    assert "&& echo jets\n" in said
    assert "request_cpus = 3\n" in said
    assert "project.tar" in said
    assert sorted(project.iterdir()) == before


def test_the_same_command_runs_here_with_a_local_profile(project: Path) -> None:
    rootflow_submit("main", "--profile", "here.json", "--wait", "-P", "word=jets")
    [run] = MlflowClient().search_runs(["0"])
    assert run.info.status == "FINISHED"
    folder = project / "outputs" / "batch" / run.info.run_id
    assert (folder / "job" / "stdout.txt").read_text() == "jets\n"
    again = CliRunner().invoke(follow, [str(folder)], catch_exceptions=False)
    assert (again.exit_code, again.stdout) == (0, "FINISHED\n")


@pytest.mark.parametrize(
    ("point", "given", "said"),
    [
        (
            "train",
            "over=output=/elsewhere/outputs",
            "writes to /elsewhere/outputs stays on its node",
        ),
        ("train", "over=output=mine", ""),
        (
            "apply",
            "to=/elsewhere/scores.root",
            "writes to /elsewhere/scores.root stays on its node",
        ),
        ("apply", "to=scores.root", ""),
    ],
)
def test_what_will_not_come_back_is_said_before_the_job_starts(
    project: Path, point: str, given: str, said: str
) -> None:
    configs = Path(__file__).parents[2] / "configs"
    (project / "MLproject").write_text(
        "name: own\nentry_points:\n"
        "  train:\n    parameters: {over: string}\n    command: python -m rootflow train"
        f" --config {configs}/ttbar.yaml --overrides {{over}}\n"
        "  apply:\n    parameters: {to: string}\n    command: rootflow apply in.root {to}\n"
    )
    words = [point, "--profile", "site.yaml", "--dry-run", "-P", given]
    answer = CliRunner().invoke(submit, words, catch_exceptions=False)
    assert answer.exit_code == 0, answer.output
    assert said in answer.stderr
    assert bool(answer.stderr) == bool(said)


@pytest.mark.usefixtures("project")
def test_failures_are_one_line() -> None:
    with pytest.raises(RootflowError, match=r"Run .* failed: exit code 1 \(see"):
        rootflow_submit("fail", "--profile", "here.json", "--wait")
    with pytest.raises(UsageError, match="-P word: write it as name=value"):
        rootflow_submit("main", "--profile", "here.json", "-P", "word")
    with pytest.raises(UsageError, match="Could not find nothing among entry points"):
        rootflow_submit("nothing", "--profile", "here.json", "--dry-run")
    with pytest.raises(UsageError, match=r"gone\.json: cannot read the profile"):
        rootflow_submit("main", "--profile", "gone.json")


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
@pytest.mark.usefixtures("workspace")
def test_a_project_that_is_none_is_said_before_anything_is_cloned(dry_run: tuple[str, ...]) -> None:
    Path("here.json").write_text(LOCAL)
    words = ["main", "--profile", "here.json", *dry_run]
    with pytest.raises(UsageError, match=r"--project /missing/x: there is no such folder"):
        rootflow_submit(*words, "--project", "/missing/x")
    with pytest.raises(UsageError, match=r"--project here\.json: there is no such folder"):
        rootflow_submit(*words, "--project", "here.json")
    for text, says in (("[", "not YAML"), ("- main", "a YAML mapping"), ("a: 2024-02-30", "value")):
        Path("MLproject").write_text(text)
        with pytest.raises(UsageError, match=says):
            rootflow_submit(*words)


def test_dry_run_of_a_dag_prints_its_files_and_leaves_nothing(workspace: Path) -> None:
    (workspace / "site.json").write_text('{"job": {"cpus": 3}}')
    settings = f"output={workspace / 'outputs'} data.folds.count=2"
    said = rootflow_submit(
        *("main", "--dag", "--dry-run", "--profile", "site.json", "--gib-per-job", "1e-6"),
        *("--project", str(ROOT), "-P", "config=configs/h4l.yaml", "-P", f"overrides={settings}"),
    )
    for line in (
        "JOB read-0002 read-0002.sub",
        "SCRIPT POST read-0002 /bin/true",
        "PARENT read-0000 read-0001 read-0002 CHILD preprocess",
        "PARENT fold-0 fold-1 CHILD train",
        "PARENT train CHILD evaluate",
        "PARENT evaluate CHILD export",
        "request_cpus = 3",
    ):
        assert f"\n{line}\n" in said
    assert [path.name for path in workspace.iterdir()] == ["site.json"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["tune", "--dag"], "submit --dag: main, preprocess, train, apply are DAGs, tune is not"),
        (["train", "--dag", "--each", "each.txt"], "--each is of single jobs"),
        (["train", "--dag", "--profile", "spool.json"], "this says htcondor and spool"),
        (["train", "--dag", "--profile", "local.json"], "this says local and shared"),
    ],
)
def test_what_is_no_dag_is_refused(workspace: Path, words: list[str], complaint: str) -> None:
    (workspace / "each.txt").write_text("seed=1\n")
    (workspace / "spool.json").write_text('{"files": "spool"}')
    (workspace / "local.json").write_text(LOCAL)
    profile = [] if "--profile" in words else ["--profile", "spool.json"]
    with pytest.raises(UsageError, match=complaint):
        rootflow_submit(*words, *profile, "--project", str(ROOT))
