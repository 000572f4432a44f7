"""Jobs in HTCondor's submit language."""

import math
import shlex
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from rootflow.batch import credentials
from rootflow.batch import job as on_node
from rootflow.batch.contract import Job
from rootflow.batch.packing import packed_in
from rootflow.config.batch import JobConfig, ProfileConfig
from rootflow.errors import UsageError

MIB = 1024  # in a GiB
KIB = 1024**2
GIB = 1024**3  # bytes
# Attributes by which jobs are found again in the queue.
FOLDER = "RootflowFolder"
SUBMISSION = "RootflowSubmission"
# The machines a job avoids; an attribute of its own, so that it can be changed in the queue.
AVOID = "RootflowAvoid"
NOT_AVOIDED = f"stringListMember(TARGET.Machine, MY.{AVOID}) =!= True"
# What a job leaves for this side, beside its outputs.
LEFT = (on_node.OUTCOME, on_node.RESULT, on_node.TRACEBACK, on_node.KEPT)
CHANGEABLE = {
    "cpus": ("RequestCpus", 1),
    "memory_gib": ("RequestMemory", MIB),
    "disk_gib": ("RequestDisk", KIB),
    "gpus": ("RequestGPUs", 1),
}
CARRIED = {
    "should_transfer_files": "YES",
    # Also on eviction, so that a job goes on from its outputs on the next node.
    "when_to_transfer_output": "ON_EXIT_OR_EVICT",
    "transfer_input_files": "$(inputs)",
    "encrypt_input_files": on_node.SPEC,
    "transfer_output_files": "$(outputs)",
    "transfer_output_remaps": f'"{on_node.KEPT} = {on_node.KEPT_BEFORE}"',
    "preserve_relative_paths": "True",
}
# The folder of a packed environment on the node.
UNPACKED = ".environment"
ITEMS = ("folder", "title", "batch", "inputs", "outputs")


def describe(
    resources: JobConfig,
    profile: ProfileConfig,
    folder: Path,
    token: str,
    avoided: Collection[str] = (),
) -> dict[str, str]:
    """Return the submit description of jobs that need the same; `item` says where they differ.

    `folder`, the executor's, and `token`, the submission's, are what they are found again by.
    """
    shared = profile.files == "shared"
    executable, arguments = _start(resources, profile)
    described: dict[str, str | float | None] = {
        "universe": "vanilla" if resources.container is None else "container",
        "executable": unexpanded(executable),
        "transfer_executable": "false",
        "arguments": arguments,
        # What begins with a macro is taken for a relative path in late materialisation.
        "initialdir": "/$(folder)",
        "description": "$(title)",
        "batch_name": "$(batch)",
        "output": on_node.STDOUT,
        "error": on_node.STDERR,
        **_needs(resources, profile),
        "requirements": _requirements(resources, profile),
        **_ending(profile),
        **(_carried(profile) if not shared else {"should_transfer_files": "NO"}),
        f"+{FOLDER}": unexpanded(literal(str(folder))),
        f"+{SUBMISSION}": literal(token),
        f"+{AVOID}": machine_list(avoided),
        "output_destination": profile.output_destination,
        **credentials.words(profile),
    }
    if profile.files != "spool":
        log = unexpanded(str(folder / "events.log"))
        described |= {"log": log, "submit_event_user_notes": token}
    if profile.runtime_attribute is not None and resources.runtime is not None:
        seconds = math.ceil(resources.runtime.total_seconds())
        described[f"+{profile.runtime_attribute}"] = seconds
    for name, value in resources.classads.items():
        described[f"+{name}"] = unexpanded(literal(value))
    return {word: str(value) for word, value in described.items() if value is not None}


def as_text(description: Mapping[str, str], jobs: Sequence[Job]) -> str:
    """Return a submit file, as condor_submit takes it."""
    lines = [f"{word} = {value}" for word, value in description.items()]
    table = [" \x1f ".join(item(job)) for job in jobs]
    return "\n".join([*lines, f"queue {','.join(ITEMS)} from (", *table, ")"]) + "\n"


def attributes(changes: Mapping[str, Any]) -> dict[str, str]:
    """Return the job attributes that words of JobConfig stand for, where they can be changed."""
    if unknown := sorted(set(changes) - set(CHANGEABLE)):
        raise UsageError(
            f"{', '.join(unknown)}: cannot be changed in a submitted job; "
            f"what can: {', '.join(CHANGEABLE)}"
        )
    known = ((*CHANGEABLE[word], value) for word, value in changes.items())
    return {name: str(math.ceil(value * unit)) for name, unit, value in known}


def machine_list(machines: Collection[str]) -> str:
    """Return machines as a ClassAd's list of strings."""
    return literal(",".join(sorted(machines)))


def literal(value: bool | int | float | str) -> str:
    """Return a value as a ClassAd writes it."""
    if not isinstance(value, str):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unexpanded(text: str) -> str:
    """Return a text of which the submit language makes itself, and no macro."""
    return text.replace("$", "$(DOLLAR)")


def _start(resources: JobConfig, profile: ProfileConfig) -> tuple[str, str]:
    """Return program and arguments that start the job's side on its node."""
    runner = on_node.__file__ if profile.files == "shared" else Path(on_node.__file__).name
    if profile.packed_environment is not None:
        archive = profile.packed_environment
        if any(character in str(archive.absolute()) for character in "$,\n\"' "):
            raise UsageError(
                f"packed_environment: {str(archive)!r}: HTCondor takes no $ , quotes or spaces"
            )
        unpack = f"mkdir -p {UNPACKED} && tar -xzf {archive.name} -C {UNPACKED}"
        # Where the interpreter looks for its own library.
        library = f"LD_LIBRARY_PATH=$PWD/{UNPACKED}/lib${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}"
        line = f"{unpack} && {library} exec {UNPACKED}/bin/python"
    elif resources.container is not None and profile.python is None:
        line = "exec python3"  # where it is, only the image knows
    else:
        quoted = f"'{runner}'" if " " in runner else runner
        return profile.python or sys.executable, f'"-I {quoted} {on_node.SPEC}"'
    line = f"{line} -I {shlex.quote(runner)} {on_node.SPEC}".replace("'", "''")
    return "/bin/sh", f"\"-c '{line}'\""


def _carried(profile: ProfileConfig) -> dict[str, str]:
    """Return how files are carried to the node and back."""
    if profile.packed_environment is None:
        return CARRIED
    inputs = f"{CARRIED['transfer_input_files']}, {profile.packed_environment.absolute()}"
    return {**CARRIED, "transfer_input_files": inputs}


def _bytes_of_environment(profile: ProfileConfig) -> int:
    """Return what a packed environment takes on the node: the file, and what is in it."""
    if profile.packed_environment is None:
        return 0
    file = profile.packed_environment
    return packed_in(file).bytes + file.stat().st_size


def _needs(resources: JobConfig, profile: ProfileConfig) -> dict[str, str | float | None]:
    needs: dict[str, str | float | None] = {
        "request_cpus": resources.cpus,
        "request_memory": math.ceil(resources.memory_gib * MIB),
        "request_disk": math.ceil(resources.disk_gib * KIB + _bytes_of_environment(profile) / 1024),
        "accounting_group": resources.accounting_group,
        "container_image": resources.container,
    }
    if resources.gpus:
        memory = resources.gpu_memory_gib
        needs["request_gpus"] = resources.gpus
        needs["gpus_minimum_memory"] = None if memory is None else math.ceil(memory * MIB)
        needs["gpus_minimum_capability"] = resources.gpu_capability
    return needs


def _requirements(resources: JobConfig, profile: ProfileConfig) -> str:
    """Return what a machine must fulfil, the one a job has just failed on least of all."""
    required = [NOT_AVOIDED]
    if resources.requirements is not None:
        required.insert(0, f"({resources.requirements})")
    seconds = math.ceil(profile.retry_elsewhere.total_seconds())
    if profile.retries and seconds:
        fine = f"(MY.ExitCode ?: 0) == 0 || MY.ExitCode == {on_node.GO_ON_LATER}"
        elsewhere = "splitSlotName(MY.LastRemoteHost)[1] =!= TARGET.Machine"
        later = f"time() - MY.EnteredCurrentStatus > {seconds}"
        required.append(f"({fine} || {elsewhere} || {later})")
    return " && ".join(required)


def _ending(profile: ProfileConfig) -> dict[str, str]:
    """Return when a job that has exited leaves the queue, and how it is warned."""
    later = f"ExitCode =?= {on_node.GO_ON_LATER}"
    failed = f"ExitCode =!= 0 && NumJobCompletions <= {profile.retries}"
    again = f"({later} || ({failed})) && NumJobStarts < {profile.limits.starts}"
    # Twice the grace: the job itself ends what does not end in time, and says so.
    vacate = str(math.ceil(2 * profile.grace.total_seconds()))
    remove = f"!({again})"
    return {"on_exit_remove": remove, "kill_sig": "SIGTERM", "job_max_vacate_time": vacate}


def require_limits(jobs: Sequence[Job], profile: ProfileConfig) -> None:
    """Raise UsageError where a submission is more than its schedd takes."""
    limits = profile.limits
    if limits.jobs is not None and len(jobs) > limits.jobs:
        raise UsageError(
            f"{len(jobs)} jobs at once: the schedd takes {limits.jobs} (limits.jobs): submit them "
            "in parts"
        )
    if limits.carried_gib is None or profile.files == "shared":
        return
    packed = (profile.packed_environment,) if profile.packed_environment is not None else ()
    for job in jobs:
        size = sum(map(_size, (*job.inputs, *job.packages.values(), *packed))) / GIB
        if size > limits.carried_gib:
            raise UsageError(
                f"job {job.name}: {size:.2f} GiB are carried to it, and the schedd takes "
                f"{limits.carried_gib:g} (limits.carried_gib): name large files by where nodes "
                "see them, such as root:// or /cvmfs"
            )


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else (path,)
    return sum(each.stat().st_size for each in files if each.is_file())


def item(job: Job) -> tuple[str, str, str, str, str]:
    """Return what differs from job to job, in the order of ITEMS."""
    batch, given = job.batch or job.name, (*job.inputs, *job.packages.values())
    for name in (job.name, batch, str(job.directory), *map(str, given), *job.outputs):
        if any(character in name for character in "$,\n\x1f\"'"):
            raise UsageError(
                f"job {job.name}: {name!r}: HTCondor takes no $ , quotes or line ends in names"
            )
    own = job.directory.absolute()
    carried = [Path(on_node.__file__), own / on_node.SPEC, own / on_node.KEPT_BEFORE]
    carried += [path.absolute() for path in given if path.name != carried[0].name]
    inputs, outputs = ", ".join(map(str, carried)), ", ".join((*job.outputs, *LEFT))
    return str(own)[1:], job.name, batch, inputs, outputs
