"""The MLflow project backend `htcondor`: `mlflow run . -e train --backend htcondor`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from mlflow.exceptions import ExecutionException
from mlflow.projects import utils as projects
from mlflow.projects.backend.abstract_backend import AbstractBackend
from mlflow.projects.utils import PROJECT_ENV_MANAGER
from mlflow.tracking.fluent import _get_experiment_id

from rootflow.config.batch import profile_of
from rootflow.config.load import read_yaml
from rootflow.errors import RootflowError, UsageError
from rootflow.secrets import hidden
from rootflow.tracking.connection import connect, set_up, tracking_uri
from rootflow.tracking.submission import HTCondorRun, Project, RunToMake, Submission

# What MLflow itself adds to the words of a backend's configuration.
MLFLOWS_OWN = {getattr(projects, name) for name in dir(projects) if name.startswith("PROJECT_")}


class HTCondorBackend(AbstractBackend):
    """Submits an entry point of any MLproject as a job, by a profile: see condor/profiles.

    A process beside this one follows the job, keeps the run's status true, and outlives this one.
    """

    def run(
        self,
        project_uri: str,
        entry_point: str,
        params: Mapping[str, str],
        version: str | None,
        backend_config: Any,
        tracking_uri: str,
        experiment_id: str,
    ) -> HTCondorRun:
        """Submit the job, wait where the profile says so; every error is an ExecutionException."""
        set_up()
        try:
            words = {k: v for k, v in dict(backend_config).items() if k not in MLFLOWS_OWN}
            profile = profile_of(words, "--backend-config")
            project = Project.at(project_uri, version, entry_point, params)
            project.check_environment(backend_config.get(PROJECT_ENV_MANAGER), profile)
            submission = Submission(project, profile, str(experiment_id), tracking_uri)
            [submitted] = submission.submit([RunToMake(params, _name_of_run())])
        except RootflowError as error:
            raise ExecutionException(f"htcondor: {hidden(str(error))}") from None
        if profile.wait:
            try:
                submitted.require_finished()
            except RootflowError as error:
                raise ExecutionException(str(error)) from None
        return submitted


def _name_of_run() -> str | None:
    """Return what `mlflow run` names the run once it is submitted."""
    context = click.get_current_context(silent=True)
    name = context.params.get("run_name") if context is not None else None
    return str(name) if name else None


def submit(project: str, entry_point: str, runs: Sequence[RunToMake], words: Any) -> None:
    """Run an entry point as `mlflow run --backend htcondor` does, all runs in one submission."""
    _require_project(project)
    profile = profile_of(words, "profile")
    connect()
    described = project_of(project, entry_point, runs)
    described.check_environment(None, profile)
    experiment: Any = _get_experiment_id
    submission = Submission(described, profile, str(experiment()), tracking_uri())
    submitted = submission.submit(runs)
    if profile.wait:
        _wait_for_all(submitted)


def _wait_for_all(submitted: Sequence[HTCondorRun]) -> None:
    failures = []
    for run in submitted:
        try:
            run.require_finished()
        except RootflowError as error:
            failures.append(str(error))
    if len(failures) > 1:
        raise RootflowError(f"{len(failures)} of {len(submitted)} runs failed: {failures[0]}")
    if failures:
        raise RootflowError(failures[0])


def describe(project: str, entry_point: str, runs: Sequence[RunToMake], words: Any) -> str:
    """Return what would be submitted for an entry point, without runs and jobs."""
    profile = profile_of(words, "profile")
    return Submission(project_of(project, entry_point, runs), profile, "", "").describe(runs)


def project_of(project: str, entry_point: str, runs: Sequence[RunToMake]) -> Project:
    """Return an entry point of a project, which takes the parameters of the first run."""
    _require_project(project)
    try:
        return Project.at(project, None, entry_point, runs[0].parameters)
    except ExecutionException as error:
        raise UsageError(str(error)) from None


def _require_project(project: str) -> None:
    """Refuse a folder that is not there: MLflow takes it for a repository to clone."""
    place = Path(project.partition("#")[0])
    if ":" in project or place.suffix == ".zip":
        return  # of another machine, or an archive
    if not place.is_dir():
        raise UsageError(f"--project {project}: there is no such folder")
    description = place / "MLproject"
    if description.exists() and not isinstance(read_yaml(description, "project"), dict):
        raise UsageError(f"{description}: a project is a YAML mapping, this is not")
