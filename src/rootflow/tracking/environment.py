"""Letting a bare `mlflow run` use the environment of the project that it runs.

MLflow looks for an environment under a name that it derives from python_env.yaml and the
requirements, so that projects with the same requirements share it. What this module puts there
names no project: MLflow sources it in the folder of the project, whose own environment it takes.
The two functions that know the name are MLflow's own and not public: requirements.lock pins MLflow.
"""

from pathlib import Path

from mlflow.utils.environment import _PythonEnv
from mlflow.utils.virtualenv import _get_mlflow_virtualenv_root, _get_virtualenv_name

from rootflow.files import whole_file
from rootflow.tracking.connection import connect

ACTIVATE = """\
# Sourced by MLflow in the folder of the project that it runs. Made by rootflow.
if [ ! -e .venv ]; then
  echo "rootflow: $PWD has no environment: making .venv, which takes a minute or two" >&2
  bash scripts/setup.sh || exit 1
fi
if ! .venv/bin/python -c "" >/dev/null 2>&1; then
  echo "rootflow: $PWD/.venv is broken: remove it and run make .venv" >&2
  exit 1
fi
. .venv/bin/activate
"""


def offer(project: Path) -> Path:
    """Put the script in place that MLflow sources for the project; return its path."""
    python_env = _PythonEnv.from_yaml(project / "python_env.yaml")  # type: ignore[no-untyped-call]
    name = _get_virtualenv_name(python_env, project.resolve())  # type: ignore[no-untyped-call]
    place = Path(_get_mlflow_virtualenv_root(), name)  # type: ignore[no-untyped-call]
    if place.is_symlink():  # to the environment of one clone, as rootflow made them once
        place.unlink()
    script = place / "bin" / "activate"
    with whole_file(script) as partial:
        partial.write_text(ACTIVATE)
    return script


if __name__ == "__main__":
    offer(Path.cwd())
    connect()
