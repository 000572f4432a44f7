"""What a job is, what an executor says of it, and what is in the job's folder on this side."""

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from rootflow.batch import job as on_node
from rootflow.batch.credentials import of_session
from rootflow.config.batch import JobConfig, ProfileConfig
from rootflow.errors import InputError, RootflowError, UsageError
from rootflow.files import whole_file
from rootflow.secrets import hidden, passwords_in, secrets_in
from rootflow.training import devices


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
    packages
        Archives (.tar) by the folder in which it finds their content. Of a folder among its
        outputs, what came with the archive and was not changed does not come back.
    resources
        What it needs; None for what the profile says.
    batch
        What the batch system lists it under, together with others; None for its name.
    """

    name: str
    command: tuple[str, ...]
    directory: Path
    inputs: tuple[Path, ...] = ()
    outputs: tuple[str, ...] = ()
    resources: JobConfig | None = None
    batch: str | None = None
    packages: Mapping[str, Path] = field(default_factory=dict)


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
        Those of the last of its `starts`; None where they are not known.
    reason
        Why it is held, was removed or has failed, or why it waits for long, in one line; else
        empty.
    given_up
        It is held and will not be released: `reason` says what to do.
    since
        When it came to be as it is, in seconds since the epoch; None where that is not known.
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
    since: float | None = None
    machine_at_fault: bool = False


class Logs(NamedTuple):
    """What a job has said, and what happened to it."""

    stdout: str
    stderr: str
    events: str


def as_text(job: Job) -> str:
    """Return the job as one line of JSON, its paths absolute and without its secrets."""
    inputs = tuple(path.absolute() for path in job.inputs)
    packages = {folder: path.absolute() for folder, path in job.packages.items()}
    shown = replace(
        job,
        command=tuple(map(hidden, job.command)),
        directory=job.directory.absolute(),
        inputs=inputs,
        resources=job.resources and job.resources.model_copy(update={"environment": {}}),
        packages=packages,
    )
    return _JOB.dump_json(shown).decode()


def from_text(text: str) -> Job:
    """Return the job that `as_text` wrote."""
    return _JOB.validate_json(text)


@dataclass(frozen=True)
class JobOutcome:
    """How the last start of a job ended, as the job itself says."""

    exit_code: int
    wall_seconds: float
    memory_mib: float
    missing: tuple[str, ...] = ()


CALL = "call.json"
_JOB, _OUTCOME = TypeAdapter(Job), TypeAdapter(JobOutcome)


def function_job(
    name: str,
    function: str,
    arguments: Mapping[str, Any],
    directory: Path,
    *,
    inputs: tuple[Path, ...] = (),
    outputs: tuple[str, ...] = (),
    resources: JobConfig | None = None,
) -> Job:
    """Return a job that calls `function`, "module:name", with plain data.

    What it returns is the job's result. The node must be able to import the module.
    """
    directory.mkdir(parents=True, exist_ok=True)
    given = os.environ.get("PYTHONPATH", "")
    path = [str(Path(__file__).parents[2]), *filter(None, given.split(os.pathsep))]
    spec = {"function": function, "arguments": dict(arguments), "path": path}
    with whole_file(directory / CALL, private=True) as partial:
        partial.write_text(json.dumps(spec))
    runner = Path(on_node.__file__)
    command = ("python3", runner.name, "--call", CALL)
    return Job(name, command, directory, (*inputs, runner, directory / CALL), outputs, resources)


def prepare(job: Job, resources: JobConfig, profile: ProfileConfig) -> None:
    """Make the folder ready for the job's first start."""
    carried = profile.files != "shared"
    for name in job.outputs:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise UsageError(f"job {job.name}: output {name}: name it relative to the job's folder")
    job.directory.mkdir(parents=True, exist_ok=True)
    for path in (*job.inputs, *job.packages.values()):
        if not path.exists():
            raise InputError(f"job {job.name}: input {path} is not there")
        place = job.directory / path.name
        brought = carried and profile.executor == "htcondor"
        if not brought and not place.exists():
            place.symlink_to(path.resolve())
    for name in (on_node.OUTCOME, on_node.RESULT, on_node.TRACEBACK):
        (job.directory / name).unlink(missing_ok=True)
    if carried:
        # Not what an earlier job in this folder has left there: this one goes on from it.
        (job.directory / on_node.KEPT_BEFORE).touch()
    # Where nodes see the home directory, caches there save every job their making.
    home = {"HOME": os.environ["HOME"]} if os.environ.get("HOME") and not carried else {}
    gpus = {devices.ASKED: str(resources.gpus)} if resources.gpus else {}
    environment = {**home, **gpus, **of_session(profile), **resources.environment}
    spec = {
        "command": job.command,
        "environment": environment,
        "secrets": (*secrets_in(environment), *passwords_in(" ".join(job.command))),
        "grace": profile.grace.total_seconds(),
        "outputs": job.outputs,
        "packages": {folder: path.name for folder, path in job.packages.items()},
        "carried": carried,
        "runtime": resources.runtime.total_seconds() if resources.runtime else None,
    }
    with whole_file(job.directory / on_node.SPEC, private=True) as partial:
        partial.write_text(json.dumps(spec))


def outcome_of(directory: Path) -> JobOutcome | None:
    """Return how the job's last start ended, None where it did not come to say so."""
    with contextlib.suppress(ValidationError):  # nothing there, or a carrier's placeholder
        return _OUTCOME.validate_json(read(directory / on_node.OUTCOME))
    return None


def measured(status: Status, directory: Path) -> Status:
    """Return the status with what the job's last start says that it used."""
    outcome = outcome_of(directory)
    if outcome is None:
        return status
    return replace(status, wall_seconds=outcome.wall_seconds, memory_mib=outcome.memory_mib)


def tidy(directory: Path, state: State = State.DONE) -> None:
    """Remove what a job that has ended needs no more: what has its secrets, too.

    What one that did not end well has kept is left to the next one in its folder.
    """
    (directory / on_node.SPEC).unlink(missing_ok=True)
    (directory / on_node.ROOM).unlink(missing_ok=True)
    outcome = outcome_of(directory)
    missing = outcome.missing if outcome is not None else ()
    kept = (on_node.KEPT, on_node.KEPT_BEFORE)
    for name in (on_node.RESULT, on_node.TRACEBACK, *kept, *missing):
        path = directory / name
        of_no_use = state is State.DONE and name in kept
        if path.is_file() and (path.stat().st_size == 0 or of_no_use):
            path.unlink()


def reason_of(directory: Path, exit_code: int, given_up_after: int | None) -> str:
    """Return in one line why a job failed, or was given up after so many starts."""
    lines = _complaint(directory).strip().splitlines()
    starts = f"given up after {given_up_after} starts (limits.starts): " if given_up_after else ""
    return f"{starts}exit code {exit_code}" + (f": {lines[-1].strip()}" if lines else "")


def logs_of(job: Job, events: str) -> Logs:
    """Return what the job has said so far, and its events."""
    stdout, stderr = (read(job.directory / name) for name in (on_node.STDOUT, on_node.STDERR))
    return Logs(stdout, stderr, events)


def result_of(job: Job, status: Status) -> Any:
    """Return what the job left as its result; one that failed or goes on is a JobError."""
    if status.state is not State.DONE:
        complaint = _complaint(job.directory) if status.state is State.FAILED else ""
        reason = f": {status.reason}" if status.reason else ""
        raise JobError(f"job {job.name} {status.state}{reason}\n{complaint}".rstrip())
    text = read(job.directory / on_node.RESULT)
    return json.loads(text) if text else None


def read(path: Path) -> str:
    """Return the text of a file, empty where there is none."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text(errors="replace")
    return ""


def _complaint(directory: Path) -> str:
    """Return the traceback that the job left, else the end of what it said."""
    left = read(directory / on_node.TRACEBACK)
    said = read(directory / on_node.STDERR).splitlines()[-20:]
    return left or "\n".join(said)
