"""What a job is, and what an executor promises."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from rootflow.config.batch import JobConfig
from rootflow.errors import RootflowError


class JobError(RootflowError):
    """A job failed: the message ends with its own traceback where it left one."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # with the lines of that


class Job(NamedTuple):
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
    """Where a job is."""

    IDLE = "idle"
    RUNNING = "running"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"
    REMOVED = "removed"


ENDED = frozenset({State.DONE, State.FAILED, State.REMOVED})


class Status(NamedTuple):
    """A job as it is now.

    Attributes
    ----------
    state
        DONE after exit 0, FAILED when it ended otherwise, REMOVED when it was cancelled.
    exit_code
        None until it has ended; 128 + n after signal n.
    host
        The machine it runs or last ran on.
    reason
        Why it is held, was removed or has failed, in one line; else empty.
    starts
        How often it has started.
    wall_seconds, memory_mib
        Of its last start; None where that is not known.
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


class Executor(Protocol):
    """Runs jobs, and knows them again after a restart of this process.

    Everything is kept in the folder that the executor was made with: another executor made
    with the same profile and folder, now or later, knows the same jobs by the same ids.
    Two processes may use one folder at once.

    A job that exits 85 goes on later: it is idle again, and starts again in its folder,
    until it has started `limits.starts` times.
    """

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Queue the jobs, all or none of them, and return their ids in the same order."""

    def known(self) -> dict[str, Job]:
        """Return all jobs ever submitted by this executor, whichever process did."""

    def status(self, ids: Sequence[str]) -> dict[str, Status]:
        """Return where jobs are now; an unknown id is an InputError."""

    def tend(self) -> None:
        """Do for jobs what is due: start, release or give up."""

    def wait(self, ids: Sequence[str], timeout: float | None = None) -> dict[str, Status]:
        """Tend until each has ended or was given up, or for `timeout` seconds.

        Whether a machine is at fault is said by all that has happened until then; `status`
        may say it later.
        """

    def cancel(self, ids: Sequence[str], reason: str) -> None:
        """Remove jobs; those that have ended stay what they are."""

    def release(self, ids: Sequence[str], changes: Mapping[str, Any] | None = None) -> None:
        """Make held jobs idle again; `changes` are words of JobConfig: {"memory_gib": 4}."""

    def name_of(self, job_id: str) -> str:
        """Return what the batch system calls the job: cluster.proc, or the process."""

    def logs(self, job_id: str) -> Logs:
        """Return what a job has said so far."""

    def result(self, job_id: str) -> Any:
        """Return the plain data that a finished job left, None where it left nothing.

        Raises
        ------
        JobError
            It failed, with its traceback, or has not ended.
        """

    def describe(self, jobs: Sequence[Job]) -> str:
        """Return what `submit` would hand over, without doing so."""


def as_text(job: Job) -> str:
    """Return the job as one line of JSON, its paths absolute."""
    resources = None if job.resources is None else job.resources.model_dump(mode="json")
    plain = job._replace(
        directory=str(job.directory.absolute()),  # type: ignore[arg-type]
        inputs=[str(path.absolute()) for path in job.inputs],  # type: ignore[arg-type]
        resources=resources,  # type: ignore[arg-type]
    )
    return json.dumps(plain._asdict())


def from_text(text: str) -> Job:
    """Return the job that `as_text` wrote."""
    plain = json.loads(text)
    resources = plain["resources"]
    return Job(
        plain["name"],
        tuple(plain["command"]),
        Path(plain["directory"]),
        tuple(map(Path, plain["inputs"])),
        tuple(plain["outputs"]),
        None if resources is None else JobConfig.model_validate(resources),
    )
