"""A job's folder on this side: what it is given, and what it left."""

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rootflow.batch import job as on_node
from rootflow.batch.contract import Job, JobError, State, Status
from rootflow.config.batch import JobConfig, ProfileConfig
from rootflow.errors import InputError, UsageError
from rootflow.files import whole_file

SOURCES = str(Path(__file__).parents[2])
LAST_LINES = 20
CALL = "call.json"


class JobOutcome(NamedTuple):
    """How the last start of a job ended, as the job itself says."""

    exit_code: int
    host: str
    stopped: str | None
    wall_seconds: float
    memory_mib: float
    cpu_seconds: float


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
    spec = {
        "function": function,
        "arguments": dict(arguments),
        "path": [SOURCES, *filter(None, given.split(os.pathsep))],
    }
    with whole_file(directory / CALL) as partial:
        partial.write_text(json.dumps(spec))
    runner = Path(on_node.__file__)
    command = ("python3", runner.name, "--call", CALL)
    return Job(name, command, directory, (*inputs, runner, directory / CALL), outputs, resources)


def resources_of(job: Job, profile: ProfileConfig) -> JobConfig:
    """Return what the job needs: the profile's words where the job has none of its own."""
    return profile.job if job.resources is None else job.resources


def prepare(job: Job, resources: JobConfig, profile: ProfileConfig) -> None:
    """Make the folder ready for the job's first start.

    Raises
    ------
    InputError
        An input is not there.
    UsageError
        An output is not below the folder.
    """
    carried = profile.files != "shared"
    for name in job.outputs:
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise UsageError(f"job {job.name}: output {name}: name it relative to the job's folder")
    job.directory.mkdir(parents=True, exist_ok=True)
    for path in job.inputs:
        if not path.exists():
            raise InputError(f"job {job.name}: input {path} is not there")
        place = job.directory / path.name
        if not carried and not place.exists():
            place.symlink_to(path.resolve())
    for name in (on_node.OUTCOME, on_node.RESULT, on_node.TRACEBACK):
        (job.directory / name).unlink(missing_ok=True)
    if carried:
        (job.directory / on_node.KEPT_BEFORE).write_bytes(b"")
    spec: dict[str, Any] = {
        "command": job.command,
        "environment": {**_shared_home(profile), **resources.environment},
        "grace": profile.grace.total_seconds(),
        "outputs": job.outputs,
        "carried": carried,
    }
    if resources.runtime is not None:
        spec["runtime"] = resources.runtime.total_seconds()
    with whole_file(job.directory / on_node.SPEC) as partial:
        partial.write_text(json.dumps(spec))


def _shared_home(profile: ProfileConfig) -> dict[str, str]:
    """Return the home directory where nodes see it: caches there save every job their making."""
    home = os.environ.get("HOME")
    return {"HOME": home} if home and profile.files == "shared" else {}


def outcome_of(directory: Path) -> JobOutcome | None:
    """Return how the job's last start ended, None where it did not come to say so."""
    try:
        said = json.loads((directory / on_node.OUTCOME).read_text())
    except (FileNotFoundError, json.JSONDecodeError):  # the latter is a carrier's placeholder
        return None
    return JobOutcome(**{name: said[name] for name in JobOutcome._fields})


def tidy(directory: Path) -> None:
    """Remove what was there for HTCondor only: a file for everything it is to carry."""
    (directory / on_node.ROOM).unlink(missing_ok=True)
    for name in (on_node.RESULT, on_node.TRACEBACK, on_node.KEPT, on_node.KEPT_BEFORE):
        path = directory / name
        if path.exists() and (path.stat().st_size == 0 or name == on_node.KEPT_BEFORE):
            path.unlink()


def reason_of(directory: Path, exit_code: int) -> str:
    """Return why a job failed, in one line."""
    lines = _complaint(directory).strip().splitlines()
    return f"exit code {exit_code}" + (f": {lines[-1].strip()}" if lines else "")


def result_of(job: Job, status: Status) -> Any:
    """Return what the job left as its result.

    Raises
    ------
    JobError
        It failed or has not ended.
    """
    if status.state is not State.DONE:
        complaint = _complaint(job.directory).rstrip() if status.state is State.FAILED else ""
        what = f"job {job.name} {status.state}"
        if status.reason:
            what += f": {status.reason}"
        raise JobError(f"{what}\n{complaint}" if complaint else what)
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
    said = read(directory / on_node.STDERR).splitlines()[-LAST_LINES:]
    return left or "\n".join(said)
