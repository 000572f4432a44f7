"""What a job logs where no tracking server can be reached: kept on disk, imported once.

The job carries a small MLflow store of its own, with its run already in it. It comes back
with the job's files, and what it holds is logged where the job was submitted. Importing
again, or after an import that was cut off, leaves the run as importing once does.
"""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Experiment, Metric, Param, Run, RunTag, ViewType
from mlflow.tracking import MlflowClient

from rootflow.files import alone_in, cache, whole_file
from rootflow.tracking.connection import experiment_id
from rootflow.tracking.outbox import LARGEST_BATCH

TRACKING = "tracking"
STORE = "mlflow.db"
ARTIFACTS = "mlruns"
PLACE = "place.txt"
NOWHERE = "/not/placed/yet"
SPOOLED = "rootflow.spooled"
# What MLflow sets on every run, and what the run has here already.
NOT_COPIED = ("mlflow.user", "mlflow.source.", "mlflow.project.", "mlflow.log-model.history")

# The job's folder is somewhere else at each start: artifact locations follow it.
SETTLE = f"""
import pathlib, sqlite3
here = pathlib.Path("{TRACKING}").absolute()
place = here / "{PLACE}"
was, now = place.read_text(), str(here)
with sqlite3.connect(here / "{STORE}") as store:
    store.execute("update runs set artifact_uri = replace(artifact_uri, ?, ?)", (was, now))
    change = "artifact_location = replace(artifact_location, ?, ?)"
    store.execute("update experiments set " + change, (was, now))
store.close()
place.write_text(now)
(here / "{ARTIFACTS}").mkdir(exist_ok=True)
"""  # noqa: S608 - own names


def prepare(run: Run, experiment: Experiment, directory: Path) -> Path:
    """Write a store that has this run, and nothing else, into a folder below `directory`."""
    folder = directory / TRACKING
    folder.mkdir()
    shutil.copyfile(_empty_store(), folder / STORE)
    (folder / PLACE).write_text(NOWHERE)
    (folder / ARTIFACTS).mkdir()
    root = f"{NOWHERE}/{ARTIFACTS}/{experiment.experiment_id}"
    run_id = run.info.run_id
    with contextlib.closing(sqlite3.connect(folder / STORE)) as store, store:
        store.execute(
            "update experiments set experiment_id = ?, name = ?, artifact_location = ?",
            (int(experiment.experiment_id), experiment.name, root),
        )
        store.execute(
            "update runs set run_uuid = ?, experiment_id = ?, name = ?, artifact_uri = ?",
            (
                run_id,
                int(experiment.experiment_id),
                run.info.run_name,
                f"{root}/{run_id}/artifacts",
            ),
        )
        for table in ("tags", "params"):
            store.execute(f"update {table} set run_uuid = ?", (run_id,))  # noqa: S608 - own names
    return folder


def script(command: str) -> str:
    """Return the shell lines that have `command` log to the store that was carried along."""
    settle = SETTLE.replace("'", '"')
    return (
        f"python3 -c '{settle}' && "
        f'export MLFLOW_TRACKING_URI="sqlite:///$PWD/{TRACKING}/{STORE}" && {command}'
    )


def deliver(folder: Path, run_id: str, client: MlflowClient) -> None:
    """Log what the job logged, in its run and in runs of its own that it made."""
    spool = MlflowClient(f"sqlite:///{folder / STORE}")
    names = {each.experiment_id: each.name for each in spool.search_experiments()}
    runs = spool.search_runs(
        list(names), run_view_type=ViewType.ALL, order_by=["attributes.start_time ASC"]
    )
    ids = {run.info.run_id: _target(run, run_id, client, names) for run in runs}
    for run in runs:
        target = ids[run.info.run_id]
        _copy(spool, run, client, target, ids)
        artifacts = _artifacts(folder, run)
        if artifacts.is_dir():
            client.log_artifacts(target, str(artifacts))
        if target != run_id:
            client.set_terminated(target, run.info.status, run.info.end_time)


def _target(run: Run, own: str, client: MlflowClient, names: Mapping[str, str]) -> str:
    """Return the run here that a run of the job is logged to; it is made once."""
    if run.info.run_id == own:
        return own
    experiment = experiment_id(client, names[run.info.experiment_id])
    wanted = f"tags.`{SPOOLED}` = '{run.info.run_id}'"
    made = client.search_runs([experiment], wanted, ViewType.ALL, max_results=1)
    if made:
        return str(made[0].info.run_id)
    tags = {SPOOLED: run.info.run_id}
    created = client.create_run(experiment, run.info.start_time, tags, run.info.run_name)
    return str(created.info.run_id)


def _copy(
    spool: MlflowClient, run: Run, client: MlflowClient, target: str, ids: Mapping[str, str]
) -> None:
    for params in _batches([Param(*item) for item in run.data.params.items()], "params"):
        client.log_batch(target, params=params)
    tags = [
        RunTag(name, ids.get(value, value))
        for name, value in run.data.tags.items()
        if not name.startswith(NOT_COPIED)
    ]
    for some in _batches(tags, "params"):
        client.log_batch(target, tags=some)
    for name in run.data.metrics:
        history = spool.get_metric_history(run.info.run_id, name)
        metrics = [Metric(m.key, m.value, m.timestamp, m.step) for m in history]
        for batch in _batches(metrics, "metrics"):
            client.log_batch(target, metrics=batch)
    if run.inputs is not None and run.inputs.dataset_inputs:
        client.log_inputs(target, run.inputs.dataset_inputs)


def _batches(entries: Sequence[Any], kind: str) -> Iterator[Sequence[Any]]:
    size = LARGEST_BATCH[kind]
    for first in range(0, len(entries), size):
        yield entries[first : first + size]


def _artifacts(folder: Path, run: Run) -> Path:
    """Return where the run's artifacts are now: its node has said where they were."""
    below: str = run.info.artifact_uri.rpartition(f"/{ARTIFACTS}/")[2]
    return folder / ARTIFACTS / below


def _empty_store() -> Path:
    """Return a store with one run and nothing in it: making its tables takes seconds."""
    store = cache() / f"mlflow-{mlflow.__version__}.db"
    with alone_in(store.parent):
        if not store.exists():
            with whole_file(store) as partial:
                MlflowClient(f"sqlite:///{partial}").create_run("0")
    return store
