"""What a job carries to a node: its project, and a store for what it logs.

The store, for jobs that reach no tracking server, is of MLflow and has the run already in it. What
comes back in it is logged here; doing that again leaves the run as doing it once.
"""

import contextlib
import filecmp
import hashlib
import json
import shutil
import sqlite3
import subprocess
import tarfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import mlflow
from mlflow.entities import Experiment, Metric, Param, Run, RunTag, ViewType
from mlflow.tracking import MlflowClient

from rootflow.errors import InputError
from rootflow.files import alone_in, cache, whole_directory, whole_file
from rootflow.tracking.connection import experiment_id, log_all

PROJECT, HOME = "project", "home.txt"
# Of what a job has made: half-made, or of one machine, as what is remembered of its files.
STAYS = shutil.ignore_patterns(".*", "__pycache__", "file-digests.json")
# What a project without git has and no job needs.
LEFT_OUT = {".git", ".venv", "__pycache__", "mlruns", "mlartifacts", "outputs"}
LONG_AGO = 1_000_000_000  # of every file in an archive; some programs take none before 1980
TRACKING = "tracking"
STORE = "mlflow.db"
ARTIFACTS = "mlruns"
PLACE = "place.txt"
NOWHERE = "/not/placed/yet"
SPOOLED = "rootflow.spooled"
TAGS = "tags.json"
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


def pack(project: Path, more: Sequence[str], archives: Path, *, with_project: bool = True) -> Path:
    """Return an archive of what git knows of a project or does not ignore, and `more` below it.

    Without the project there is only `more`. The archive is kept once for all runs that carry the
    same, under the digest of what is in it.
    """
    for name in more:
        if not (project / name).exists():
            raise InputError(f"inputs: {project / name} is not there")
    archives.mkdir(parents=True, exist_ok=True)
    partial = archives / f".{uuid.uuid4().hex}.tar"
    partial.touch(0o600)  # there may be files that are their owner's alone
    try:
        with tarfile.open(partial, "w", dereference=True) as archive:
            for name in sorted({*(_files(project) if with_project else ()), *more}):
                archive.add(project / name, name, filter=_same_for_all)
        with partial.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        kept = archives / f"project-{digest[:16]}.tar"
        partial.replace(kept)
    finally:
        partial.unlink(missing_ok=True)
    return kept


def _same_for_all(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out what differs though the content is the same: who has the file, and since when."""
    member.uid = member.gid = 0
    member.mtime = LONG_AGO
    member.uname = member.gname = ""
    return member


def there(command: str, project: Path) -> str:
    """Return the shell lines that run `command` in the project that was carried along."""
    # MLflow makes paths absolute; what lies in the project is at another place there.
    elsewhere = command.replace(f"{project.absolute()}/", "")
    # New experiments keep their artifacts in the working directory's mlruns: it is another one.
    link = f"ln -sfn ../{TRACKING}/{ARTIFACTS} {PROJECT}/{ARTIFACTS}"
    return f"{link} && cd {PROJECT} && {elsewhere}"


def note_home(job: Path, project: Path) -> None:
    """Note where the project of a job is."""
    (job / HOME).write_text(str(project))


def bring_home(job: Path) -> None:
    """Put what a job's project has come back with where a job here would have put it.

    Locks, what is half-made and what is remembered of that machine's files stay.
    """
    home = job / HOME
    if home.exists() and (job / PROJECT).is_dir():
        merge(job / PROJECT, Path(home.read_text()))


def merge(source: Path, target: Path) -> None:
    """Put the files below a folder into another one: a folder that is new there as a whole."""
    for each in sorted(source.iterdir()):
        place = target / each.name
        # The link leads to the job's own store, whose artifacts are delivered to their runs.
        if STAYS(str(source), [each.name]) or (each.is_symlink() and each.name == ARTIFACTS):
            continue
        if each.is_dir() and place.is_dir():
            merge(each, place)
        elif each.is_dir():
            with whole_directory(place) as partial:
                shutil.copytree(each, partial, ignore=STAYS, dirs_exist_ok=True)
        elif not (place.is_file() and filecmp.cmp(each, place, shallow=False)):
            with whole_file(place) as partial:
                shutil.copy2(each, partial)


def _files(project: Path) -> list[str]:
    command = ["git", "-C", str(project), "ls-files", "-z", "--cached", "--others"]
    answer = subprocess.run(  # noqa: S603 - fixed words, no shell
        [*command, "--exclude-standard"], capture_output=True, text=True, check=False
    )
    if answer.returncode == 0:
        names = answer.stdout.split("\0")
        if known := [name for name in names if name and (project / name).exists()]:
            return known  # else git ignores the folder as a whole
    return [path.name for path in project.iterdir() if path.name not in LEFT_OUT]


def prepare_store(client: MlflowClient, run_id: str, directory: Path) -> None:
    """Write a store that has this run, and nothing else, into a folder below `directory`.

    Where one is there already, as an earlier job has left it, the next one goes on with that.
    """
    if (directory / TRACKING).exists():
        return
    run = client.get_run(run_id)
    with whole_directory(directory / TRACKING) as folder:
        _write_store(folder, run, client.get_experiment(run.info.experiment_id))


def _write_store(folder: Path, run: Run, experiment: Experiment) -> None:
    run_id = run.info.run_id
    shutil.copyfile(_empty_store(), folder / STORE)
    (folder / PLACE).write_text(NOWHERE)
    (folder / ARTIFACTS).mkdir()
    number = int(experiment.experiment_id)
    root = f"{NOWHERE}/{ARTIFACTS}/{number}"
    with contextlib.closing(sqlite3.connect(folder / STORE)) as store, store:
        store.execute(
            "update experiments set experiment_id = ?, name = ?, artifact_location = ?",
            (number, experiment.name, root),
        )
        store.execute(
            "update runs set run_uuid = ?, experiment_id = ?, name = ?, artifact_uri = ?",
            (run_id, number, run.info.run_name, f"{root}/{run_id}/artifacts"),
        )
        for table, said in (("tags", run.data.tags), ("params", run.data.params)):
            store.execute(f"delete from {table}")  # noqa: S608 - own names
            rows = [(*item, run_id) for item in said.items()]
            insert = f"insert into {table} (key, value, run_uuid) values (?, ?, ?)"  # noqa: S608
            store.executemany(insert, rows)
    (folder / TAGS).write_text(json.dumps(run.data.tags))


def logging_here(command: str) -> str:
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
    carried = json.loads((folder / TAGS).read_text())
    for run in runs:
        target = ids[run.info.run_id]
        _copy(spool, run, client, target, ids, carried if target == run_id else {})
        # Its node has said where they were.
        artifacts = folder / ARTIFACTS / run.info.artifact_uri.rpartition(f"/{ARTIFACTS}/")[2]
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
    spool: MlflowClient,
    run: Run,
    client: MlflowClient,
    target: str,
    ids: Mapping[str, str],
    carried: Mapping[str, str],
) -> None:
    """Log what a run has in the store, but for the tags that it was carried along with."""
    log_all(client, target, params=[Param(*item) for item in run.data.params.items()])
    said = {k: v for k, v in run.data.tags.items() if not k.startswith(NOT_COPIED)}
    said = dict(said.items() - carried.items())
    log_all(client, target, tags=[RunTag(name, ids.get(v, v)) for name, v in said.items()])
    for name in run.data.metrics:
        history = spool.get_metric_history(run.info.run_id, name)
        metrics = [Metric(m.key, m.value, m.timestamp, m.step) for m in history]
        log_all(client, target, metrics=metrics)
    if run.inputs is not None and run.inputs.dataset_inputs:
        client.log_inputs(target, run.inputs.dataset_inputs)


def _empty_store() -> Path:
    """Return a store with one run and nothing in it: making its tables takes seconds."""
    store = cache() / f"mlflow-{mlflow.__version__}.db"
    with alone_in(store.parent):
        if not store.exists():
            with whole_file(store) as partial:
                MlflowClient(f"sqlite:///{partial}").create_run("0")
    return store
