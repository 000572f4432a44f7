"""One step of the story as one MLflow run."""

import json
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import click
import psutil
import yaml
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from rootflow import __version__
from rootflow.config import Config, digest_of
from rootflow.places import shown
from rootflow.secrets import hidden
from rootflow.tracking import database
from rootflow.tracking.connection import (
    ENTRIES,
    connect,
    deliver_spool,
    experiment_id,
    finished_run,
    is_away,
    log_entry,
    refusal,
    server_must_answer,
)

DEFAULT_EXPERIMENT_ID = "0"
SECONDS_BETWEEN_TRIES = 15.0
PARENT = "mlflow.parentRunId"
PROCESS = "rootflow.process"
STEP = "rootflow.step"
MOVED_TO = "rootflow.run"
FOLD = "rootflow.fold"
OF_THE_MODEL = ("inputs", "model", "training")
WITHOUT_MODEL = ("simulate", "preprocess")


class Run:
    """An MLflow run that loses nothing when the server is away for a while.

    What cannot be delivered is kept in `spool`, files included, until it can be.
    """

    def __init__(self, client: MlflowClient, run_id: str, experiment: str, spool: Path) -> None:
        self.client = client
        self.run_id = run_id
        self.experiment_id = experiment
        self.spool = spool
        self._next_try = 0.0

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters; each can be given one value only."""
        self._put("params", dict(params))

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags."""
        self._put("tags", dict(tags))

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Log finite numbers; `step` is the epoch where there is one."""
        values = {name: float(value) for name, value in metrics.items()}
        self._put("metrics", {"values": values, "step": step, "timestamp": _milliseconds()})

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Log a file as an artifact."""
        self._put("artifact", {"path": str(path), "folder": folder})

    def log_figures(self, paths: Sequence[Path]) -> None:
        """Log figures as artifacts; PNG ones also as images that the UI shows side by side."""
        for path in paths:
            self.log_file(path, "figures")
            if path.suffix == ".png":
                self._put("image", {"path": str(path), "key": path.stem})

    def log_text(self, text: str, name: str) -> None:
        """Log a text as an artifact called `name`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_text(text)
            self.log_file(path)

    def log_dataset(self, name: str, digest: str, source: Path, profile: Mapping[str, Any]) -> None:
        """Log what was trained or evaluated on as the run's dataset input."""
        content = {"name": name, "digest": digest[:36], "source": str(source)}  # MLflow's length
        self._put("dataset", {**content, "profile": dict(profile)})
        self.set_tags({"rootflow.dataset": digest})

    def log_source(self, step: str, tag: str, value: str) -> str | None:
        """Name the run that made the input: the first with this tag, for later ones found it."""
        found = finished_run(self.client, self.experiment_id, {STEP: step, tag: value}, "ASC")
        if found is None:
            return None
        source = str(found.info.run_id)
        self.set_tags({f"rootflow.source.{step}": source})
        return source

    def tags_of(self, run_id: str) -> dict[str, str]:
        """Return the tags of another run."""
        with server_must_answer():
            return dict(self.client.get_run(run_id).data.tags)

    def end(self, status: str) -> None:
        """Say how the run ended, and what could not be delivered."""
        self._put("status", {"status": status, "end_time": _milliseconds()})
        if not self._deliver():
            click.echo(
                f"rootflow: the tracking server is away; what run {self.run_id} logged is kept "
                f"in {self.spool}: send it with 'rootflow sync {self.spool}'",
                err=True,
            )

    def _put(self, kind: str, content: dict[str, Any]) -> None:
        """Log an entry now, or as soon as the server answers again."""
        now = not self.spool.exists()
        if not (now and self._done(log_entry, self.client, self.run_id, kind, content)):
            self._keep(kind, content)
            if time.monotonic() >= self._next_try:
                self._deliver()

    def _deliver(self) -> bool:
        """Log what was kept; return whether nothing is left of it."""
        return not self.spool.exists() or self._done(deliver_spool, self.client, self.spool)

    def _done(self, call: Callable[..., object], *arguments: object) -> bool:
        """Call what the server may be away for; return whether it was not."""
        try:
            call(*arguments)
        except (MlflowException, OSError) as error:
            if not is_away(error):
                raise refusal(error) from None
            self._next_try = time.monotonic() + SECONDS_BETWEEN_TRIES
            return False
        return True

    def _keep(self, kind: str, content: dict[str, Any]) -> None:
        self.spool.mkdir(parents=True, exist_ok=True)
        if "path" in content:
            source = Path(content["path"])
            number = len(list(self.spool.iterdir()))
            kept = self.spool / str(number) / source.name
            kept.parent.mkdir()
            shutil.copy2(source, kept)
            content = {**content, "path": str(kept.relative_to(self.spool))}
        line = {"run_id": self.run_id, "kind": kind, "content": content}
        with (self.spool / ENTRIES).open("a") as entries:
            entries.write(json.dumps(line) + "\n")


@contextmanager
def start_run(
    config: Config,
    step: str,
    parent: Run | None = None,
    *,
    held_out: int | None = None,
    evaluated: str | None = None,
) -> Iterator[Run]:
    """Open the run of a step, and end it as the block ends.

    `held_out` is the fold of a run that is about one of several; `evaluated` names a model that
    is not the configured one: what the configuration says of its own is then no parameter.

    Inside `mlflow run` the run that MLflow opened is the run of the outermost step, unless
    it is in MLflow's Default experiment: then the step's own run is made in the configured
    experiment, and MLflow's points to it by its tag `rootflow.run`.
    """
    with server_must_answer():
        run = _open_run(config, step, parent, held_out, evaluated)
    with _told_how_it_ended(run):
        _describe(run, config, step, OF_THE_MODEL if evaluated else ())
        if held_out is not None:
            run.set_tags({FOLD: held_out})
        yield run


def begin_run(config: Config, step: str, parent: Run | None = None) -> Run:
    """Open the run of a step that several jobs work on; who knows how they end, ends it."""
    with server_must_answer():
        run = _open_run(config, step, parent, None, None)
    _describe(run, config, step, ())
    run.set_tags({PROCESS: ""})  # no process of a machine whose death would be the run's
    return run


@contextmanager
def start_run_among(
    experiment: str, step: str, tags: Mapping[str, str], spools: Path
) -> Iterator[Run]:
    """Open a run without a configuration of its own in an experiment; end it as the block ends.

    `experiment` is an id; what cannot be delivered is kept in the directory `spools`.
    """
    client = connect()
    with server_must_answer():
        run_id = client.create_run(experiment, run_name=step).info.run_id
    run = Run(client, run_id, experiment, spools / run_id)
    with _told_how_it_ended(run):
        _say_what_it_is(run, step, tags)
        yield run


@contextmanager
def _told_how_it_ended(run: Run) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
        run.log_metrics({"wall_seconds": time.monotonic() - started})
    except (KeyboardInterrupt, SystemExit):
        run.end("KILLED")
        raise
    except BaseException as error:
        run.set_tags({"rootflow.error": hidden(str(error))[:5000]})
        run.end("FAILED")
        raise
    run.end("FINISHED")


def _open_run(
    config: Config, step: str, parent: Run | None, held_out: int | None, evaluated: str | None
) -> Run:
    spools = config.output / "spool"
    name = step if step in WITHOUT_MODEL else f"{step} {evaluated or config.model.name}"
    if held_out is not None:
        name = f"{name} fold {held_out}"
    if parent is not None:
        client, experiment = parent.client, parent.experiment_id
        tags = {PARENT: parent.run_id}
        run_id = client.create_run(experiment, tags=tags, run_name=name).info.run_id
        return Run(client, run_id, experiment, spools / run_id)
    client = connect()
    given_id = os.environ.pop("MLFLOW_RUN_ID", None)
    if given_id is not None:
        given = client.get_run(given_id).info
        if given.experiment_id != DEFAULT_EXPERIMENT_ID:
            return Run(client, given_id, given.experiment_id, spools / given_id)
    name_of_experiment = config.tracking.experiment or config.analysis
    experiment = experiment_id(client, name_of_experiment)
    _end_killed_runs(client, experiment)
    run_id = client.create_run(experiment, run_name=name).info.run_id
    if given_id is not None:
        client.set_tag(given_id, MOVED_TO, run_id)
        note = f"This run is kept as {run_id} in the experiment {name_of_experiment}."
        client.set_tag(given_id, "mlflow.note.content", note)
    return Run(client, run_id, experiment, spools / run_id)


def _describe(run: Run, config: Config, step: str, unsaid: Sequence[str]) -> None:
    settings = shown(config.model_dump(mode="json"))
    every = config.data.folds.in_turn()
    fold = {FOLD: every[0].held_out} if len(every) == 1 else {}
    _say_what_it_is(run, step, {"rootflow.config": digest_of(settings), **fold})
    run.log_params(flat({key: said for key, said in settings.items() if key not in unsaid}))
    run.log_text(yaml.safe_dump(settings, sort_keys=False), "config.yaml")


def _say_what_it_is(run: Run, step: str, tags: Mapping[str, Any]) -> None:
    run.set_tags({STEP: step, PROCESS: _process(psutil.Process()), **_git_tags(), **tags})
    run.log_text(json.dumps(_environment(), indent=1), "environment.json")


def _git_tags() -> dict[str, str]:
    """Return the commit of the working directory, and whether the tree was clean."""
    commit = _git("rev-parse", "HEAD")
    if commit is None:
        return {"rootflow.tree": "no git repository"}
    clean = _git("status", "--porcelain") == ""
    return {"mlflow.source.git.commit": commit, "rootflow.tree": "clean" if clean else "dirty"}


def look_up_installation() -> None:
    """Find out what any run needs to know of this installation; it is remembered."""
    _environment()
    database.newest_revision()


@cache
def _environment() -> dict[str, Any]:
    """Return the machine and the version of every installed package."""
    packages = {each.metadata["Name"]: each.version for each in distributions()}
    return {
        "rootflow": __version__,
        "python": platform.python_version(),
        "machine": {
            "host": platform.node(),
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        },
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }


def _git(*arguments: str) -> str | None:
    command = ["git", "-C", str(Path.cwd()), *arguments]
    with suppress(FileNotFoundError, subprocess.CalledProcessError):
        return subprocess.check_output(  # noqa: S603 - fixed words, no shell
            command, stderr=subprocess.DEVNULL, text=True
        ).strip()
    return None


def flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by their dotted paths."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        path = f"{prefix}{key}"
        found |= flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return found


def _end_killed_runs(client: MlflowClient, experiment: str) -> None:
    """Mark as killed the runs of this machine whose process is gone without having said so."""
    running = client.search_runs([experiment], "status = 'RUNNING'", max_results=1000)
    alive = {_process(process) for process in psutil.process_iter()}
    for run in running:
        process = run.data.tags.get(PROCESS, "")
        if process.startswith(f"{platform.node()} ") and process not in alive:
            client.set_terminated(run.info.run_id, "KILLED")


def _process(process: psutil.Process) -> str:
    """Return what no other process has: numbers alone are used again."""
    return f"{platform.node()} {process.pid} {process.create_time():.2f}"


def _milliseconds() -> int:
    return int(time.time() * 1000)
