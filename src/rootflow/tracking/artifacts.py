"""Fetching what runs have logged."""

from pathlib import Path
from typing import NamedTuple

from mlflow.entities import Run as MlflowRun
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_DOES_NOT_EXIST,
    ErrorCode,
)
from mlflow.tracking import MlflowClient

from rootflow.errors import UsageError
from rootflow.tracking.connection import connect, redacted, server_must_answer, tracking_uri
from rootflow.tracking.run import MOVED_TO, PARENT, STEP

NO_SUCH_RUN = (
    ErrorCode.Name(RESOURCE_DOES_NOT_EXIST),
    ErrorCode.Name(INVALID_PARAMETER_VALUE),  # an id that could be none
)


class LoggedRun(NamedTuple):
    """A run that was logged before: its id, its experiment's, and its parameters."""

    run_id: str
    experiment_id: str
    params: dict[str, str]


def run_of_step(run_id: str, step: str) -> LoggedRun:
    """Return the run itself where it is of this step, else the last one below it that is.

    Raises
    ------
    UsageError
        There is no such run, or none of this step.
    RootflowError
        The tracking server does not answer.
    """
    client = connect()
    run = _run(client, run_id)
    if MOVED_TO in run.data.tags:
        run = _run(client, run.data.tags[MOVED_TO])
    if run.data.tags.get(STEP) == step:
        return _plain(run)
    with server_must_answer():
        below = client.search_runs(
            [run.info.experiment_id],
            f"tags.`{PARENT}` = '{run.info.run_id}' and tags.`{STEP}` = '{step}' "
            "and status = 'FINISHED'",
            max_results=1,
            order_by=["attributes.start_time DESC"],
        )
    if not below:
        kind = run.data.tags.get(STEP, "of no step of rootflow")
        raise UsageError(f"run {run_id} is {kind}: name a finished run of {step}, or one above it")
    return _plain(below[0])


def artifact_of(run_id: str, name: str, directory: Path) -> Path:
    """Fetch an artifact of a run.

    Parameters
    ----------
    run_id
        Of the run.
    name
        Path of the artifact within the run.
    directory
        Where it goes, made where it is missing.

    Returns
    -------
    The file.

    Raises
    ------
    UsageError
        There is no such run, or it has no such artifact.
    RootflowError
        The tracking server does not answer.
    """
    client = connect()
    _run(client, run_id)
    folder = str(Path(name).parent) if "/" in name else None
    with server_must_answer():
        logged = [artifact.path for artifact in client.list_artifacts(run_id, folder)]
    if name not in logged:
        raise UsageError(f"run {run_id} has no artifact {name}")
    directory.mkdir(parents=True, exist_ok=True)
    with server_must_answer():
        return Path(client.download_artifacts(run_id, name, str(directory)))


def artifacts_in(run_id: str, folder: str) -> list[str]:
    """Return the paths of what a run has logged in a folder.

    Raises
    ------
    UsageError
        There is no such run.
    RootflowError
        The tracking server does not answer.
    """
    client = connect()
    _run(client, run_id)
    with server_must_answer():
        return [artifact.path for artifact in client.list_artifacts(run_id, folder)]


def _plain(run: MlflowRun) -> LoggedRun:
    return LoggedRun(run.info.run_id, run.info.experiment_id, dict(run.data.params))


def _run(client: MlflowClient, run_id: str) -> MlflowRun:
    with server_must_answer():
        try:
            return client.get_run(run_id)
        except MlflowException as error:
            if error.error_code not in NO_SUCH_RUN:
                raise
    raise UsageError(f"there is no run {run_id} on {redacted(tracking_uri())}")
