"""What a job is, and what an executor says of it."""

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from rootflow.config.batch import JobConfig
from rootflow.errors import RootflowError


class JobError(RootflowError):
    """A job failed: the message ends with its own traceback where it left one."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # with the lines of that


@dataclass(frozen=True)
class Job:
    """One command to run somewhere.

    Attributes
    ----------
    name
        As the user knows it.
    command
        Program and arguments. It starts in the job's folder; `$ROOTFLOW_RESULT` names the
        file where it may leave its result, as JSON.
    directory
        The job's own folder here: what comes back is put there, with the job's logs. It is
        made when it is not there. Where files are shared the job works in it.
    inputs
        Files and folders that the job finds in its folder, under their own names.
    outputs
        Files and folders, relative to its folder, that come back: those that it goes on
        from after an eviction included. A job without one of them has failed.
    resources
        What it needs; None for what the profile says.
    """

    name: str
    command: tuple[str, ...]
    directory: Path
    inputs: tuple[Path, ...] = ()
    outputs: tuple[str, ...] = ()
    resources: JobConfig | None = None


class State(StrEnum):
    """Where a job is: DONE after exit 0, FAILED when it ended otherwise, REMOVED by `cancel`."""

    IDLE = "idle"
    RUNNING = "running"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    REMOVED = "removed"


ENDED = frozenset({State.DONE, State.FAILED, State.REMOVED})


@dataclass
class Status:
    """A job as it is now.

    Attributes
    ----------
    exit_code
        None until it has ended; 128 + n after signal n.
    host, wall_seconds, memory_mib
        Of its last of so many `starts`; None where that is not known.
    reason
        Why it is held, was removed or has failed, in one line; else empty.
    given_up
        It is held and will not be released: `reason` says what to do.
    machine_at_fault
        It failed or is held on a machine that jobs avoid by now: elsewhere it may end well.
    """

    state: State
    exit_code: int | None = None
    host: str | None = None
    reason: str = ""
    starts: int = 0
    wall_seconds: float | None = None
    memory_mib: float | None = None
    given_up: bool = False
    machine_at_fault: bool = False


class Logs(NamedTuple):
    """What a job has said, and what happened to it."""

    stdout: str
    stderr: str
    events: str


_JOB = TypeAdapter(Job)


def as_text(job: Job) -> str:
    """Return the job as one line of JSON, its paths absolute."""
    inputs = tuple(path.absolute() for path in job.inputs)
    return _JOB.dump_json(replace(job, directory=job.directory.absolute(), inputs=inputs)).decode()


def from_text(text: str) -> Job:
    """Return the job that `as_text` wrote."""
    return _JOB.validate_json(text)
