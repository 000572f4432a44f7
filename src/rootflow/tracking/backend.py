"""The MLflow project backend `htcondor`: `mlflow run . -e train --backend htcondor`."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import mlflow
from mlflow.exceptions import ExecutionException
from mlflow.projects import SubmittedRun
from mlflow.projects import utils as projects
from mlflow.projects.backend.abstract_backend import AbstractBackend
from mlflow.projects.utils import PROJECT_ENV_MANAGER
from mlflow.tracking import MlflowClient

from rootflow.batch import Job, make_executor
from rootflow.config.batch import ProfileConfig, profile_of
from rootflow.config.load import read_yaml
from rootflow.errors import RootflowError, UsageError
from rootflow.tracking import carried, watching
from rootflow.tracking.connection import connect, set_up

untyped: Any = projects  # its functions say nothing of types
# What MLflow itself adds to the words of a backend's configuration.
MLFLOWS_OWN = {getattr(untyped, name) for name in dir(untyped) if name.startswith("PROJECT_")}


class HTCondorRun(SubmittedRun):
    """A run whose job is in the pool."""

    def __init__(self, watched: watching.Watched) -> None:
        super().__init__()
        self._watched = watched

    @property
    def run_id(self) -> str:
        """The MLflow run."""
        return self._watched.run_id

    @property
    def job_id(self) -> str:
        """The job as HTCondor calls it: cluster.proc."""
        return self._watched.name

    def wait(self) -> bool:
        """Wait until the job has ended, and return whether it ended well."""
        return watching.watch(self._watched.folder) == "FINISHED"

    def get_status(self) -> str:
        """Return the status of the MLflow run."""
        return str(self._watched.client.get_run(self.run_id).info.status)

    def cancel(self) -> None:
        """Remove the job, and wait until it is gone."""
        self._watched.executor.cancel([self._watched.job_id], "cancelled through MLflow")
        self.wait()


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
            work_dir, project, command = _loaded(project_uri, version, entry_point, params)
            _check_environment(project, backend_config.get(PROJECT_ENV_MANAGER), profile)
            run = untyped.get_or_create_run(
                None, project_uri, experiment_id, str(work_dir), version, entry_point, params
            )
            run_id = run.info.run_id
            uri = absolute(tracking_uri)
            told = {"MLFLOW_RUN_ID": run_id, "MLFLOW_EXPERIMENT_ID": str(experiment_id)}
            job = _plan(profile, work_dir, command, run_id, {**told, "MLFLOW_TRACKING_URI": uri})
            try:
                submitted = _submit(profile, work_dir, job, run_id, uri)
            except RootflowError as error:
                client = MlflowClient(tracking_uri)
                client.set_tag(run_id, watching.REASON, str(error))
                client.set_terminated(run_id, "FAILED")
                raise
        except RootflowError as error:
            raise ExecutionException(f"htcondor: {error}") from None
        try:
            if profile.wait and not submitted.wait():
                raise ExecutionException(f"Run (ID '{run_id}') failed: see its artifacts in job/")
        except KeyboardInterrupt:
            submitted.cancel()
            raise
        return submitted


def submit(project: str, entry_point: str, params: Mapping[str, str], words: Any) -> None:
    """Run an entry point as `mlflow run --backend htcondor` does."""
    _require_project(project)
    connect()
    how = {"backend": "htcondor", "backend_config": words, "synchronous": False}
    try:
        run: Any = mlflow.projects.run
        run(project, entry_point, parameters=dict(params), **how)
    except ExecutionException as error:
        raise RootflowError(str(error)) from None


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


def absolute(uri: str) -> str:
    """Return the tracking URI as another working directory needs it."""
    parts = urlsplit(uri)
    if parts.scheme == "sqlite" and uri.startswith("sqlite:///"):
        return f"sqlite:///{Path(uri.removeprefix('sqlite:///')).absolute()}"
    if parts.scheme in ("", "file"):
        return Path(parts.path).absolute().as_uri()
    return uri


def _check_environment(project: Any, manager: str | None, profile: ProfileConfig) -> None:
    if manager not in (None, "local"):
        raise UsageError(
            f"--env-manager {manager}: a job runs in the environment that submits it, in "
            "`python` of the profile or in `job.container`: leave --env-manager out"
        )
    if project.docker_env and profile.job.container is None:
        raise UsageError("the project has a docker_env: name its image as job.container")


def describe(project: str, entry_point: str, params: Mapping[str, str], words: Any) -> str:
    """Return what would be submitted for an entry point, without a run and a job."""
    profile = profile_of(words, "profile")
    _require_project(project)
    try:
        work_dir, _, command = _loaded(project, None, entry_point, params)
    except ExecutionException as error:
        raise UsageError(str(error)) from None
    with tempfile.TemporaryDirectory() as folder:
        job = _plan(profile, work_dir, command, "RUN", {})
        text = make_executor(profile, Path(folder)).describe([job])
        text = text.replace(folder, str(job.directory.parent))
    return f"# the job: {job.command[-1]}\n{text}"


def _loaded(
    uri: str, version: str | None, entry_point: str, params: Mapping[str, str]
) -> tuple[Path, Any, str]:
    """Return the folder of a project, what its MLproject says, and the entry point's command."""
    work_dir = untyped.fetch_and_validate_project(uri, version, entry_point, params)
    project = untyped.load_project(work_dir)
    command = untyped.get_entry_point_command(project, entry_point, params, None)[0]
    return Path(work_dir), project, command


def _plan(
    profile: ProfileConfig, work_dir: Path, command: str, run_id: str, told: Mapping[str, str]
) -> Job:
    """Return the job of a run, which is told some variables of the environment."""
    directory = profile.folder.absolute() / run_id / watching.JOB
    inputs: tuple[Path, ...] = ()
    outputs: tuple[str, ...] = ()
    if profile.files == "shared":
        script = f"cd {shlex.quote(str(work_dir.absolute()))} && {command}"
    else:
        inputs = (directory / carried.PACKAGE,)
        outputs = tuple(f"{carried.PROJECT}/{name}" for name in profile.outputs)
        script = carried.unpacking(command, work_dir)
    if profile.tracking == "spool":
        inputs += (directory / carried.TRACKING,)
        outputs += (carried.TRACKING,)
        script = carried.logging_here(script)
    environment = {"environment": {**told, **profile.job.environment}}
    resources = profile.job.model_copy(update=environment)
    return Job(f"mlflow-{run_id}", ("bash", "-c", script), directory, inputs, outputs, resources)


def _submit(
    profile: ProfileConfig, work_dir: Path, job: Job, run_id: str, tracking_uri: str
) -> HTCondorRun:
    job.directory.mkdir(parents=True)
    if profile.files != "shared":
        carried.pack(work_dir, profile.inputs, job.directory)
    if profile.tracking == "spool":
        carried.prepare_store(MlflowClient(tracking_uri), run_id, job.directory)
    folder = job.directory.parent
    [job_id] = make_executor(profile, folder).submit([job])
    watched = watching.Watched(folder, profile, run_id, job_id, tracking_uri)
    watched.keep()
    watching.say_scheduled(watched)
    with (folder / "watch.log").open("w") as stream:
        watcher = subprocess.Popen(  # noqa: S603 - this package's own program
            [sys.executable, "-m", watching.__name__, str(folder)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    watcher.returncode = 0  # it outlives this process: nobody waits for it
    submitted = HTCondorRun(watched)
    click.echo(f"run {run_id} is job {submitted.job_id}, kept in {folder}", err=True)
    return submitted
