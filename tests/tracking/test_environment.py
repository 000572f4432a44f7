"""What a bare `mlflow run` runs in, with projects that have the same requirements."""

import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from rootflow.tracking.environment import offer

MLPROJECT = """\
name: small
python_env: python_env.yaml
entry_points:
  main:
    command: "python -c 'import sys; print(sys.prefix)' > prefix.txt"
"""


@pytest.fixture
def environments(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where MLflow keeps its environments; there is none."""
    monkeypatch.setenv("MLFLOW_ENV_ROOT", str(workspace / "environments"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace / 'mlflow.db'}")
    return workspace / "environments"


def clone(place: Path) -> Path:
    place.mkdir()
    (place / "MLproject").write_text(MLPROJECT)
    (place / "python_env.yaml").write_text("python: '3.11'\ndependencies: [-r requirements.lock]\n")
    (place / "requirements.lock").write_text("numpy\n")
    return place


def ready(place: Path) -> Path:
    """Return a clone with an environment of its own."""
    venv.create(clone(place) / ".venv", symlinks=True)
    return place


def source(script: Path, project: Path) -> "subprocess.CompletedProcess[str]":
    """Do what MLflow does with the environment of a project."""
    command = f"source {script} && python -c 'import sys; print(sys.prefix)'"
    return subprocess.run(["bash", "-c", command], cwd=project, capture_output=True, text=True)


def test_each_clone_runs_its_own_environment(environments: Path, workspace: Path) -> None:
    first, second = ready(workspace / "first"), ready(workspace / "second")
    scripts = {offer(first), offer(second)}
    assert len(scripts) == 1, "MLflow names environments by the requirements"
    [script] = scripts
    for project in (first, second):
        assert source(script, project).stdout.strip() == str(project / ".venv")
    shutil.rmtree(second)
    assert source(script, first).stdout.strip() == str(first / ".venv")
    assert script.is_relative_to(environments)


@pytest.mark.usefixtures("environments")
def test_mlflow_runs_the_project_in_its_own_environment(workspace: Path) -> None:
    first, second = ready(workspace / "first"), ready(workspace / "second")
    offer(first)
    # Run from elsewhere, and by the MLflow of another environment.
    command = [sys.executable, "-m", "mlflow", "run", str(second)]
    subprocess.run(command, cwd=workspace, check=True, capture_output=True)
    assert (second / "prefix.txt").read_text().strip() == str(second / ".venv")


@pytest.mark.usefixtures("environments")
def test_a_broken_environment_is_one_line(workspace: Path) -> None:
    project = ready(workspace / "project")
    script = offer(project)
    for name in (project / ".venv" / "bin").iterdir():
        if name.name.startswith("python"):
            name.unlink()
    failed = source(script, project)
    assert failed.returncode == 1
    assert failed.stderr == (f"rootflow: {project}/.venv is broken: remove it and run make .venv\n")


@pytest.mark.usefixtures("environments")
def test_a_missing_environment_is_made(workspace: Path) -> None:
    project = clone(workspace / "project")
    (project / "scripts").mkdir()
    (project / "scripts" / "setup.sh").write_text(f"{sys.executable} -m venv --without-pip .venv\n")
    made = source(offer(project), project)
    assert made.stdout.strip() == str(project / ".venv")
    assert made.stderr.startswith(f"rootflow: {project} has no environment: making .venv")


def test_links_to_the_environment_of_one_clone_are_replaced(
    environments: Path, workspace: Path
) -> None:
    first, second = ready(workspace / "first"), ready(workspace / "second")
    place = offer(first).parents[1]
    shutil.rmtree(place)
    place.symlink_to(second / ".venv")  # as rootflow made it once
    activate = (second / ".venv" / "bin" / "activate").read_bytes()
    assert source(offer(first), first).stdout.strip() == str(first / ".venv")
    assert (second / ".venv" / "bin" / "activate").read_bytes() == activate
    assert place.parent == environments
