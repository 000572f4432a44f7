"""Making this environment the one that a bare `mlflow run` looks for.

MLflow keeps a project's environment under a name that it derives from python_env.yaml and
the requirements; under that name this module links the environment it runs in. The two
functions that know the name are MLflow's own and not public: requirements.lock pins MLflow.
"""

import sys
from pathlib import Path

from mlflow.utils.environment import _PythonEnv
from mlflow.utils.virtualenv import _get_mlflow_virtualenv_root, _get_virtualenv_name

from rootflow.tracking.connection import connect


def link(project: Path) -> Path:
    """Link this environment for the MLflow project at `project`; return the link."""
    python_env = _PythonEnv.from_yaml(project / "python_env.yaml")  # type: ignore[no-untyped-call]
    name = _get_virtualenv_name(python_env, project.resolve())  # type: ignore[no-untyped-call]
    place = Path(_get_mlflow_virtualenv_root(), name)  # type: ignore[no-untyped-call]
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_symlink():
        place.unlink()
    if not place.exists():  # an environment that MLflow built itself stays
        place.symlink_to(sys.prefix)
    return place


if __name__ == "__main__":
    link(Path.cwd())
    connect()
