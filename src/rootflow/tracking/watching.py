"""Following the job of a run, so that the run says what is true.

`python -m rootflow.tracking.watching FOLDER` follows the job submitted in FOLDER until it has
ended. One process does so at a time; another one waits, and takes over when that one is gone.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from mlflow.entities import LifecycleStage, RunStatus
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from rootflow.batch import ENDED, Executor, State, Status, make_executor
from rootflow.config.batch import ProfileConfig, profile_of
from rootflow.errors import InputError, RootflowError, UsageError
from rootflow.files import alone_in, whole_file
from rootflow.tracking import spooled
from rootflow.tracking.connection import is_away, reason_of, refusal

RECORD = "watched.json"
ENDING = "ended.json"
WATCHING = "watching"  # the executor has the folder's own lock
JOB = "job"  # its folder, and that of its logs among the artifacts
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_TRIES = 15.0
SECONDS_BETWEEN_WORDS = 10.0
MOST_OF_REASON = 200

JOB_ID = "htcondor.job"
HOST = "htcondor.host"
STARTS = "htcondor.starts"
STATE = "htcondor.state"
REASON = "htcondor.reason"
AT = "htcondor.folder"

SCHEDULED = {State.IDLE, State.HELD}
FINISHED = RunStatus.to_string(RunStatus.FINISHED)
ENDED_BY_ITSELF = {FINISHED, RunStatus.to_string(RunStatus.FAILED)}
STATUS = {
    State.RUNNING: RunStatus.RUNNING,
    State.DONE: RunStatus.FINISHED,
    State.FAILED: RunStatus.FAILED,
    State.REMOVED: RunStatus.KILLED,
}


class Watched(NamedTuple):
    """A job and the run that it is the job of."""

    folder: Path
    profile: ProfileConfig
    run_id: str
    job_id: str
    tracking_uri: str

    def keep(self) -> None:
        """Write it down for the process that will follow it."""
        words = {
            "profile": self.profile.model_dump(mode="json"),
            "run_id": self.run_id,
            "job_id": self.job_id,
            "tracking_uri": self.tracking_uri,
        }
        with whole_file(self.folder / RECORD) as partial:
            partial.write_text(json.dumps(words, indent=1))

    def executor(self) -> Executor:
        """Return the executor that knows the job."""
        return make_executor(self.profile, self.folder)


def find(folder: Path) -> Watched:
    """Return what was submitted in `folder`.

    Raises
    ------
    InputError
        Nothing was.
    """
    try:
        said = json.loads((folder / RECORD).read_text())
    except FileNotFoundError:
        raise InputError(f"{folder}: no job of `mlflow run` was submitted there") from None
    profile = profile_of(said["profile"], str(folder / RECORD))
    return Watched(folder, profile, said["run_id"], said["job_id"], said["tracking_uri"])


def say_scheduled(watched: Watched) -> None:
    """Have the run say that its job waits."""
    client = MlflowClient(watched.tracking_uri)
    client.set_tag(watched.run_id, AT, str(watched.folder))
    client.set_tag(watched.run_id, JOB_ID, watched.executor().name_of(watched.job_id))
    client.update_run(watched.run_id, RunStatus.to_string(RunStatus.SCHEDULED))


def watch(folder: Path) -> str:
    """Follow the job in `folder` until it has ended; return the run's status: FINISHED."""
    with alone_in(folder / WATCHING):
        ending = folder / ENDING
        if not ending.exists():
            status = _follow(find(folder))
            with whole_file(ending) as partial:
                partial.write_text(json.dumps(RunStatus.to_string(status)))
        return str(json.loads(ending.read_text()))


def _follow(watched: Watched) -> int:
    client = MlflowClient(watched.tracking_uri)
    executor = watched.executor()
    try:
        return _follow_to_its_end(client, watched, executor)
    except RootflowError:
        if not _insist(_is_deleted, client, watched.run_id):
            raise
        executor.cancel([watched.job_id], "its MLflow run was deleted")
        return int(RunStatus.KILLED)


def _follow_to_its_end(client: MlflowClient, watched: Watched, executor: Executor) -> int:
    said: Status | None = None
    given_up = False
    next_word = 0.0
    while True:
        status = _look(executor, watched.job_id)
        if status.given_up:
            given_up = True
            _insist(client.set_tag, watched.run_id, REASON, status.reason)
            executor.cancel([watched.job_id], status.reason[:MOST_OF_REASON])
        elif status.state in ENDED:
            return _end(client, watched, executor, status, given_up=given_up)
        elif (news := said is None or _differs(status, said)) or time.monotonic() >= next_word:
            _insist(_say, client, watched, status, news)  # a run that was deleted refuses it
            said, next_word = status, time.monotonic() + SECONDS_BETWEEN_WORDS


def _look(executor: Executor, job_id: str) -> Status:
    """Return the job's status, as soon as the pool answers where it must be asked."""
    while True:
        try:
            return executor.wait([job_id], SECONDS_BETWEEN_LOOKS)[job_id]
        except (InputError, UsageError):
            raise
        except RootflowError as error:
            sys.stderr.write(f"{error}\n")
        time.sleep(SECONDS_BETWEEN_TRIES)


def _differs(status: Status, said: Status) -> bool:
    return (status.state, status.starts, status.reason) != (said.state, said.starts, said.reason)


def _say(client: MlflowClient, watched: Watched, status: Status, news: bool) -> None:
    run_id = watched.run_id
    if not news and client.get_run(run_id).info.status in ENDED_BY_ITSELF:
        return  # the job has just said so, and is about to end
    client.set_tag(run_id, STATE, str(status.state))
    client.set_tag(run_id, REASON, status.reason)
    client.set_tag(run_id, STARTS, status.starts)
    if status.host:
        client.set_tag(run_id, HOST, status.host)
    now = RunStatus.SCHEDULED if status.state in SCHEDULED else STATUS[status.state]
    client.update_run(run_id, RunStatus.to_string(now))


def _end(
    client: MlflowClient, watched: Watched, executor: Executor, status: Status, *, given_up: bool
) -> int:
    """Log what the job said and used, and then how it ended."""
    run_id = watched.run_id
    logs = executor.logs(watched.job_id)
    numbers = {
        "wall_seconds": status.wall_seconds,
        "memory_mib": status.memory_mib,
        "starts": status.starts,
    }

    def log() -> None:
        for name, text in logs._asdict().items():
            client.log_text(run_id, text, f"{JOB}/{name}.txt")
        for name, value in numbers.items():
            if value is not None:
                client.log_metric(run_id, f"job/{name}", value)
        client.set_tag(run_id, STATE, str(status.state))
        client.set_tag(run_id, STARTS, status.starts)
        if not given_up:
            client.set_tag(run_id, REASON, status.reason)
        if status.host:
            client.set_tag(run_id, HOST, status.host)

    if watched.profile.tracking == "spool":
        spool = watched.folder / JOB / spooled.TRACKING
        _insist(spooled.deliver, spool, run_id, client)
    _insist(log)
    ended = RunStatus.FAILED if given_up else STATUS[status.state]
    _insist(client.set_terminated, run_id, RunStatus.to_string(ended))
    return int(ended)


def _is_deleted(client: MlflowClient, run_id: str) -> bool:
    return bool(client.get_run(run_id).info.lifecycle_stage == LifecycleStage.DELETED)


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
