"""One step of the story as one MLflow run."""

import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import psutil
import yaml
from mlflow.entities import RunStatus, ViewType
from mlflow.tracking import MlflowClient

from rootflow.config import Config, digest_of
from rootflow.tracking.connection import connect, experiment_id, server_must_answer
from rootflow.tracking.outbox import Outbox
from rootflow.tracking.provenance import environment, git_tags

DEFAULT_EXPERIMENT_ID = "0"
PARENT = "mlflow.parentRunId"
PROCESS = "rootflow.process"
STEP = "rootflow.step"
MOVED_TO = "rootflow.run"
FOLD = "rootflow.fold"
OF_THE_MODEL = ("inputs", "model", "training")
WITHOUT_MODEL = ("simulate", "preprocess")
DIGEST_LENGTH = 36  # of a dataset input in MLflow


class Run:
    """An MLflow run that loses nothing when the server is away for a while."""

    def __init__(self, client: MlflowClient, run_id: str, experiment: str, spool: Path) -> None:
        self.client = client
        self.run_id = run_id
        self.experiment_id = experiment
        self.spool = spool
        self._outbox = Outbox(client, run_id, spool)

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Log parameters; each can be given one value only."""
        self._outbox.put("params", dict(params))

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set tags."""
        self._outbox.put("tags", dict(tags))

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Log finite numbers; `step` is the epoch where there is one."""
        values = {name: float(value) for name, value in metrics.items()}
        content = {"values": values, "step": step, "timestamp": _milliseconds()}
        self._outbox.put("metrics", content)

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Log a file as an artifact."""
        self._outbox.put("artifact", {"path": str(path), "folder": folder})

    def log_figures(self, paths: Sequence[Path]) -> None:
        """Log figures as artifacts; PNG ones also as images that the UI shows side by side."""
        for path in paths:
            self.log_file(path, "figures")
            if path.suffix == ".png":
                self._outbox.put("image", {"path": str(path), "key": path.stem})

    def log_text(self, text: str, name: str) -> None:
        """Log a text as an artifact called `name`."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_text(text)
            self.log_file(path)

    def log_dataset(self, name: str, digest: str, source: Path, profile: Mapping[str, Any]) -> None:
        """Log what was trained or evaluated on as the run's dataset input."""
        content = {"name": name, "digest": digest[:DIGEST_LENGTH], "source": str(source)}
        self._outbox.put("dataset", {**content, "profile": dict(profile)})
        self.set_tags({"rootflow.dataset": digest})

    def log_source(self, step: str, tag: str, value: str) -> str | None:
        """Name the run that this one's input came from, where this server knows it.

        Returns
        -------
        The id of the first finished run of `step` with this tag: later ones found its result.
        """
        wanted = f"tags.`rootflow.step` = '{step}' and tags.`{tag}` = '{value}'"
        with server_must_answer():
            runs = self.client.search_runs(
                [self.experiment_id],
                f"{wanted} and status = 'FINISHED'",
                max_results=1,
                order_by=["attributes.start_time ASC"],
            )
        if not runs:
            return None
        source = str(runs[0].info.run_id)
        self.set_tags({f"rootflow.source.{step}": source})
        return source

    def tags_of(self, run_id: str) -> dict[str, str]:
        """Return the tags of another run."""
        with server_must_answer():
            return dict(self.client.get_run(run_id).data.tags)

    def end(self, status: str) -> None:
        """Say how the run ended, and what could not be delivered."""
        self._outbox.put("status", {"status": status, "end_time": _milliseconds()})
        if not self._outbox.deliver():
            click.echo(
                f"rootflow: the tracking server is away; what run {self.run_id} logged is kept "
                f"in {self.spool}: send it with 'rootflow sync {self.spool}'",
                err=True,
            )


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

    Raises
    ------
    RootflowError
        The tracking server does not answer.
    """
    with server_must_answer():
        run = _open_run(config, step, parent, held_out, evaluated)
    with _told_how_it_ended(run):
        _describe(run, config, step, OF_THE_MODEL if evaluated else ())
        if held_out is not None:
            run.set_tags({FOLD: held_out})
        yield run


@contextmanager
def start_run_among(
    experiment: str, step: str, tags: Mapping[str, str], spools: Path
) -> Iterator[Run]:
    """Open a run that has no configuration of its own, and end it as the block ends.

    Parameters
    ----------
    experiment
        Id of the experiment, which exists.
    step
        What it does, also its name.
    tags
        What else to say of it.
    spools
        Directory for what cannot be delivered.

    Raises
    ------
    RootflowError
        The tracking server does not answer.
    """
    client = connect()
    with server_must_answer():
        run_id = client.create_run(experiment, run_name=step).info.run_id
    run = Run(client, run_id, experiment, spools / run_id)
    with _told_how_it_ended(run):
        run.set_tags({STEP: step, PROCESS: _process(psutil.Process()), **git_tags(), **tags})
        run.log_text(json.dumps(environment(), indent=1), "environment.json")
        yield run


@contextmanager
def _told_how_it_ended(run: Run) -> Iterator[None]:
    started = time.monotonic()
    try:
        yield
        run.log_metrics({"wall_seconds": time.monotonic() - started})
    except (KeyboardInterrupt, SystemExit):
        run.end(RunStatus.to_string(RunStatus.KILLED))
        raise
    except BaseException as error:
        run.set_tags({"rootflow.error": str(error)[:5000]})
        run.end(RunStatus.to_string(RunStatus.FAILED))
        raise
    run.end(RunStatus.to_string(RunStatus.FINISHED))


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
    settings = config.model_dump(mode="json")
    every = config.data.folds.in_turn()
    run.set_tags(
        {
            STEP: step,
            "rootflow.config": digest_of(settings),
            **({FOLD: every[0].held_out} if len(every) == 1 else {}),
            PROCESS: _process(psutil.Process()),
            **git_tags(),
        }
    )
    run.log_params(_flat({key: said for key, said in settings.items() if key not in unsaid}))
    run.log_text(yaml.safe_dump(settings, sort_keys=False), "config.yaml")
    run.log_text(json.dumps(environment(), indent=1), "environment.json")


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        path = f"{prefix}{key}"
        flat |= _flat(value, f"{path}.") if isinstance(value, Mapping) else {path: value}
    return flat


def _end_killed_runs(client: MlflowClient, experiment: str) -> None:
    """Mark as killed the runs of this machine whose process is gone without having said so."""
    running = client.search_runs(
        [experiment], "status = 'RUNNING'", ViewType.ACTIVE_ONLY, max_results=1000
    )
    alive = {_process(process) for process in psutil.process_iter()}
    for run in running:
        process = run.data.tags.get(PROCESS, "")
        if process.startswith(f"{platform.node()} ") and process not in alive:
            client.set_terminated(run.info.run_id, RunStatus.to_string(RunStatus.KILLED))


def _process(process: psutil.Process) -> str:
    """Return what no other process has: numbers alone are used again."""
    return f"{platform.node()} {process.pid} {process.create_time():.2f}"


def _milliseconds() -> int:
    return int(time.time() * 1000)
