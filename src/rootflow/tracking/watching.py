"""Following the job of a run, so that the run says what is true.

`python -m rootflow.tracking.watching FOLDER` follows the job submitted in FOLDER until it has
ended. One process does so at a time; another one waits, and takes over when that one is gone.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mlflow.entities import LifecycleStage
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from pydantic import TypeAdapter

from rootflow.batch import ENDED, Executor, State, Status, make_executor
from rootflow.config.batch import ProfileConfig, profile_of
from rootflow.errors import InputError, RootflowError, UsageError
from rootflow.files import alone_in, whole_file
from rootflow.tracking import carried
from rootflow.tracking.connection import is_away, reason_of, refusal

RECORD = "watched.json"
JOB = "job"  # its folder, and that of its logs among the artifacts
REASON = "htcondor.reason"
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_TRIES = 15.0
SECONDS_BETWEEN_WORDS = 10.0
# Of the run, as MLflow calls it.
STATUS = {
    State.IDLE: "SCHEDULED",
    State.HELD: "SCHEDULED",
    State.RUNNING: "RUNNING",
    State.DONE: "FINISHED",
    State.FAILED: "FAILED",
    State.REMOVED: "KILLED",
}


@dataclass(frozen=True)
class Watched:
    """A job and the run that it is the job of."""

    folder: Path
    profile: ProfileConfig
    run_id: str
    job_id: str
    tracking_uri: str

    def keep(self) -> None:
        """Write it down for the process that will follow it."""
        with whole_file(self.folder / RECORD) as partial:
            partial.write_bytes(TypeAdapter(Watched).dump_json(self, indent=1))

    @cached_property
    def client(self) -> MlflowClient:
        """Of the server that has the run."""
        return MlflowClient(self.tracking_uri)

    @cached_property
    def executor(self) -> Executor:
        """The executor that knows the job."""
        return make_executor(self.profile, self.folder)

    @property
    def name(self) -> str:
        """The job as the batch system calls it: cluster.proc."""
        return self.executor.name_of(self.job_id)


def find(folder: Path) -> Watched:
    """Return what was submitted in `folder`."""
    try:
        said = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        raise InputError(f"{folder}: no job of `mlflow run` was submitted there") from None
    profile = profile_of(said["profile"], str(folder / RECORD))
    return Watched(**{**said, "folder": folder, "profile": profile})


def say_scheduled(watched: Watched) -> None:
    """Have the run say that its job waits."""
    watched.client.set_tag(watched.run_id, "htcondor.folder", str(watched.folder))
    watched.client.set_tag(watched.run_id, "htcondor.job", watched.name)
    watched.client.update_run(watched.run_id, STATUS[State.IDLE])


def watch(folder: Path) -> str:
    """Follow the job in `folder` until it has ended; return the run's status: FINISHED."""
    with alone_in(folder / "watching"):  # the executor has the folder's own lock
        ending = folder / "ended.json"
        if not ending.exists():
            status = _follow(find(folder))
            with whole_file(ending) as partial:
                partial.write_text(json.dumps(status))
        return str(json.loads(ending.read_text()))


def _follow(watched: Watched) -> str:
    try:
        return _follow_to_its_end(watched)
    except RootflowError:
        info = _insist(watched.client.get_run, watched.run_id).info
        if info.lifecycle_stage != LifecycleStage.DELETED:
            raise
        watched.executor.cancel([watched.job_id], "its MLflow run was deleted")
        return STATUS[State.REMOVED]


def _follow_to_its_end(watched: Watched) -> str:
    said, given_up, next_word = None, False, 0.0
    while True:
        status = _look(watched)
        word = status.state, status.starts, status.reason
        if status.given_up:
            given_up = True
            _insist(watched.client.set_tag, watched.run_id, REASON, status.reason)
            watched.executor.cancel([watched.job_id], status.reason[:200])
        elif status.state in ENDED:
            return _end(watched, status, given_up=given_up)
        elif word != said or time.monotonic() >= next_word:
            _insist(_say, watched, status, word != said)  # a run that was deleted refuses it
            said, next_word = word, time.monotonic() + SECONDS_BETWEEN_WORDS


def _look(watched: Watched) -> Status:
    """Return the job's status, as soon as the pool answers where it must be asked."""
    while True:
        try:
            return watched.executor.wait([watched.job_id], SECONDS_BETWEEN_LOOKS)[watched.job_id]
        except (InputError, UsageError):
            raise
        except RootflowError as error:
            sys.stderr.write(f"{error}\n")
        time.sleep(SECONDS_BETWEEN_TRIES)


def _say(watched: Watched, status: Status, news: bool) -> None:
    if not news and watched.client.get_run(watched.run_id).info.status in ("FINISHED", "FAILED"):
        return  # the job has just said so, and is about to end
    _set_tags(watched, status)
    watched.client.update_run(watched.run_id, STATUS[status.state])


def _set_tags(watched: Watched, status: Status, *, given_up: bool = False) -> None:
    """Say where the job is; why it was given up was said before it was removed."""
    tags: dict[str, Any] = {"state": str(status.state), "starts": status.starts}
    if not given_up:
        tags["reason"] = status.reason
    if status.host:
        tags["host"] = status.host
    for name, value in tags.items():
        watched.client.set_tag(watched.run_id, f"htcondor.{name}", value)


def _end(watched: Watched, status: Status, *, given_up: bool) -> str:
    """Log what the job said and used, and then how it ended."""
    client, run_id = watched.client, watched.run_id
    logs = watched.executor.logs(watched.job_id)

    def log() -> None:
        for name, text in logs._asdict().items():
            client.log_text(run_id, text, f"{JOB}/{name}.txt")
        for name in ("wall_seconds", "memory_mib", "starts"):
            if (value := getattr(status, name)) is not None:
                client.log_metric(run_id, f"job/{name}", value)
        _set_tags(watched, status, given_up=given_up)

    if watched.profile.tracking == "spool":
        spool = watched.folder / JOB / carried.TRACKING
        _insist(carried.deliver, spool, run_id, client)
    _insist(log)
    ended = STATUS[State.FAILED if given_up else status.state]
    _insist(client.set_terminated, run_id, ended)
    return ended


def _insist(call: Callable[..., Any], *arguments: Any) -> Any:
    """Call until the tracking server has answered."""
    while True:
        try:
            return call(*arguments)
        except (MlflowException, OSError) as error:
            if not is_away(error):
                raise refusal(error) from None
            sys.stderr.write(f"the tracking server is away: {reason_of(error)}\n")
        time.sleep(SECONDS_BETWEEN_TRIES)


if __name__ == "__main__":
    watch(Path(sys.argv[1]))
