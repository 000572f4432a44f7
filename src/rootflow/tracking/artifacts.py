"""Runs that were logged before, and fetching what they have logged."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from mlflow.entities import Run as MlflowRun
from mlflow.tracking import MlflowClient

from rootflow.errors import UsageError
from rootflow.tracking.connection import connect, finished_run, server_must_answer
from rootflow.tracking.run import MOVED_TO, PARENT, STEP


class LoggedRun(NamedTuple):
    """A run that was logged before: its id, its experiment's, and what it has logged."""

    run_id: str
    experiment_id: str
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]


def run_of_step(run_id: str, step: str) -> LoggedRun:
    """Return the run itself where it is of this step, else the last one below it that is."""
    run = logged_run(run_id)
    if run.tags.get(STEP) == step:
        return run
    below = last_run(run.experiment_id, {PARENT: run.run_id, STEP: step})
    if below is None:
        kind = run.tags.get(STEP, "of no step of rootflow")
        raise UsageError(f"run {run_id} is {kind}: name a finished run of {step}, or one above it")
    return below


def logged_run(run_id: str) -> LoggedRun:
    """Return a run; that of `mlflow run` which points to another stands for it."""
    client = connect()
    run = _run(client, run_id)
    return _plain(_run(client, run.data.tags[MOVED_TO]) if MOVED_TO in run.data.tags else run)


def last_run(experiment_id: str, tags: Mapping[str, str]) -> LoggedRun | None:
    """Return the last finished run of an experiment that has all these tags, None without any."""
    found = finished_run(connect(), experiment_id, tags, "DESC")
    return None if found is None else _plain(found)


def artifact_of(run_id: str, name: str, directory: Path) -> Path:
    """Fetch an artifact of a run, by its path there, into a directory, made where it is missing."""
    folder = str(Path(name).parent) if "/" in name else None
    if name not in artifacts_in(run_id, folder):
        raise UsageError(f"run {run_id} has no artifact {name}")
    directory.mkdir(parents=True, exist_ok=True)
    with server_must_answer():
        return Path(connect().download_artifacts(run_id, name, str(directory)))


def artifacts_in(run_id: str, folder: str | None) -> list[str]:
    """Return the paths of what a run has logged in a folder, or beside its folders."""
    client = connect()
    refuse_missing(_run(client, run_id).info.artifact_uri, f"run {run_id}")
    with server_must_answer():
        return [artifact.path for artifact in client.list_artifacts(run_id, folder)]


def refuse_missing(uri: str, what: str) -> None:
    """Refuse a folder of artifacts that is not there, of which MLflow says that it is empty."""
    parts = urlsplit(uri)
    path = unquote(parts.path) if parts.scheme == "file" else uri
    if parts.scheme in ("", "file") and not Path(path).is_dir():
        raise UsageError(
            f"{what} has no files in {path}, where they should be: if that folder was moved, move "
            "it back, or move the tracking database with it"
        )


def _plain(run: MlflowRun) -> LoggedRun:
    info, data = run.info, run.data
    return LoggedRun(info.run_id, info.experiment_id, data.params, data.metrics, data.tags)


def _run(client: MlflowClient, run_id: str) -> MlflowRun:
    with server_must_answer(missing=f"there is no run {run_id}"):
        return client.get_run(run_id)
