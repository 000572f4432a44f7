"""Jobs that wait for one another: a DAG, which HTCondor's DAGMan works off.

DAGMan is a job of the schedd itself: it outlives this process, and writes down what is done when a
node has failed. Submitting the same folder again goes on from there.
"""

import math
import os
import shlex
import shutil
import stat
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rootflow.batch import contract, credd, description
from rootflow.batch import job as on_node
from rootflow.batch.contract import Job, State
from rootflow.batch.progress import Progress, change, one_line
from rootflow.batch.schedd import Schedd, htcondor
from rootflow.config.batch import JobConfig, ProfileConfig
from rootflow.errors import RootflowError, UsageError
from rootflow.files import whole_file

DAG, END = "main.dag", "end"
LOG, SAID = f"{DAG}.nodes.log", f"{DAG}.dagman.out"
# How the DAG has ended, for the command that is run then: 0 well, 4 removed.
STATUS = "ROOTFLOW_DAG_STATUS"
WELL, REMOVED = 0, 4
MAKES_NOTHING = "executable = /bin/true\nqueue\n"
# Of a submit description: DAGMan has a log and notes of its own.
NOT_OF_NODES = ("log", "submit_event_notes")
# Nor is one here matched with a machine.
NOT_HERE = ("requirements", "should_transfer_files", "container_image")
SCHEDULER_UNIVERSE = 7
HELD, BY_HAND = 5, 1  # HTCondor's codes of a status, and of a reason for it


class Node(NamedTuple):
    """A job, whose name is the node's, and the names of the nodes that it waits for.

    Those that wait for one that `may_fail` are run whether it has ended well or not. One that is
    `here` is run by the schedd's own machine, which has all files.
    """

    job: Job
    after: tuple[str, ...] = ()
    may_fail: bool = False
    here: bool = False


class Standing(NamedTuple):
    """How far DAGMan is, by its job's number, with so many of its nodes."""

    cluster: int
    done: int
    total: int


def write(nodes: Sequence[Node], end: Job, folder: Path, profile: ProfileConfig) -> None:
    """Write a DAG and all that its nodes need into a folder.

    `end` is run on this side when no node is left that could be run, with the DAG's status in its
    environment (`STATUS`).
    """
    for node in (*nodes, Node(end, here=True)):
        _prepare(node, profile)
    for name, text in describe(nodes, end, folder, profile).items():
        (folder / name).write_text(text)
    script = folder / _script(end)
    script.chmod(script.stat().st_mode | stat.S_IXUSR)


def describe(
    nodes: Sequence[Node], end: Job, folder: Path, profile: ProfileConfig
) -> dict[str, str]:
    """Return the files that tell DAGMan what to do, by their names."""
    jobs = [f"JOB {node.job.name} {_file(node)}" for node in nodes]
    edges = [f"PARENT {' '.join(node.after)} CHILD {node.job.name}" for node in nodes if node.after]
    forgiven = [f"SCRIPT POST {node.job.name} /bin/true" for node in nodes if node.may_fail]
    last = [f"FINAL {END} {END}.sub NOOP", f"SCRIPT POST {END} {_script(end)} $DAG_STATUS"]
    runner = shlex.join([sys.executable, "-I", on_node.__file__, on_node.SPEC])
    return {
        DAG: "\n".join([*jobs, *edges, *forgiven, *last]) + "\n",
        **{_file(node): _submit_file(node, folder, profile) for node in nodes},
        f"{END}.sub": MAKES_NOTHING,
        _script(end): (
            f"#!/bin/sh\ncd {shlex.quote(str(end.directory.absolute()))} || exit 1\n"
            f'{STATUS}="$1" exec {runner} > {on_node.STDOUT} 2> {on_node.STDERR}\n'
        ),
    }


def rewrite(node: Node, folder: Path, profile: ProfileConfig) -> None:
    """Write a node again, of a DAG at work that has not come to it."""
    _prepare(node, profile)
    with whole_file(folder / _file(node)) as partial:
        partial.write_text(_submit_file(node, folder, profile))


def submit(folder: Path, profile: ProfileConfig) -> int:
    """Hand the DAG in a folder over to DAGMan, where it was left if it was; return its cluster."""
    folder = folder.absolute()
    left = list(folder.glob(f"{DAG}.rescue*"))
    # Without a note of what is done DAGMan refuses a folder that it has worked in.
    options = {"dagman": _dagman(), "batch-name": folder.name, "force": int(not left)}
    here = Path.cwd()
    try:
        os.chdir(folder)  # DAGMan's files are named relative to its folder
        described = htcondor().Submit.from_dag(DAG, options)
    except htcondor().HTCondorException as error:
        raise RootflowError(f"DAGMan: {one_line(error)}") from None
    finally:
        os.chdir(here)
    token = f"{folder.name}-{len(left)}-{os.urandom(4).hex()}"
    described["initialdir"] = str(folder)
    described[f"My.{description.FOLDER}"] = description.literal(str(folder))
    described[f"My.{description.SUBMISSION}"] = description.literal(token)
    credd.store(profile)
    return Schedd(profile.schedd).submit(str(described), token, spool=False)


def standing(folder: Path, profile: ProfileConfig) -> Standing | None:
    """Return how far the DAG in a folder is, None where DAGMan is not at work on it."""
    names = ("ClusterId", "JobUniverse", "DAG_NodesDone", "DAG_NodesTotal")
    ads = Schedd(profile.schedd).query(folder.absolute(), names)
    for ad in ads:
        if int(ad.get("JobUniverse", 0)) == SCHEDULER_UNIVERSE:
            numbers = (int(ad.get(name, 0)) for name in names[2:])
            return Standing(int(ad["ClusterId"]), *numbers)
    return None


def remove(folder: Path, profile: ProfileConfig, reason: str) -> None:
    """Remove the DAG in a folder, with the jobs of its nodes; its end is told so."""
    found = standing(folder, profile)
    if found is not None:
        Schedd(profile.schedd).remove(found.cluster, reason)


def failures(folder: Path, directories: Mapping[str, Path]) -> dict[str, str]:
    """Return why nodes have failed, by name, as their jobs say it in these folders, or the pool."""
    reached = _progress(folder / LOG)
    said = {}
    for name, directory in directories.items():
        progress = reached.get(name, Progress())
        if progress.state is State.FAILED and progress.exit_code is not None:
            said[name] = contract.reason_of(directory, progress.exit_code, None)
        elif progress.state is State.REMOVED:
            said[name] = progress.reason
    return said


def complaint(folder: Path) -> str:
    """Return the last that DAGMan said of an error, empty where it said none."""
    said = contract.read(folder / SAID).splitlines()
    wrong = [line for line in said if "ERROR" in line or "Error" in line]
    return one_line(wrong[-1].partition(" ")[2].partition(" ")[2]) if wrong else ""


def _progress(log: Path) -> dict[str, Progress]:
    """Return how far the job of each node is, by the node's name, the last where it had several."""
    reached: dict[str, Progress] = {}
    names: dict[int, str] = {}
    if log.exists():
        with htcondor().JobEventLog(str(log)) as events:
            for event in events.events(stop_after=0):
                if event.type.name == "SUBMIT":
                    names[event.cluster] = name = str(event["StructuredNotes"]["DAGNodeName"])
                    reached[name] = Progress()
                elif event.cluster in names:
                    progress = reached[names[event.cluster]]
                    held = progress.reason if progress.state is State.HELD else ""
                    change(progress, event)
                    # What is held is removed, for a reason that is no news.
                    if progress.state is State.REMOVED:
                        progress.reason = held or progress.reason
    return reached


def _file(node: Node) -> str:
    return f"{node.job.name}.sub"


def _prepare(node: Node, profile: ProfileConfig) -> None:
    contract.prepare(node.job, node.job.resources or profile.job, _profile_of(node, profile))


def _profile_of(node: Node, profile: ProfileConfig) -> ProfileConfig:
    return profile.model_copy(update={"files": "shared"}) if node.here else profile


def _submit_file(node: Node, folder: Path, profile: ProfileConfig) -> str:
    job, resources = node.job, node.job.resources or profile.job
    own = _profile_of(node, profile)
    words = description.describe(resources, own, folder.absolute(), job.name)
    if node.here:
        words = {word: value for word, value in words.items() if word not in NOT_HERE}
        words["universe"] = "local"
    words = {word: value for word, value in words.items() if word not in NOT_OF_NODES}
    return description.as_text({**words, **_help(resources, profile)}, [job])


def _help(resources: JobConfig, profile: ProfileConfig) -> dict[str, str]:
    """Return what HTCondor does about a node in need: nobody on this side looks after it.

    With too little memory it starts again with more, as often as there is more. Held for anything
    else it is removed, which DAGMan takes for a failure; who holds it by hand has a reason to.
    """
    limits, more = profile.limits, [resources.memory_gib]
    while more[-1] < limits.memory_gib:
        more.append(min(more[-1] * limits.memory_factor, limits.memory_gib))
    help_ = {"periodic_remove": f"JobStatus == {HELD} && HoldReasonCode =!= {BY_HAND}"}
    if len(more) > 1:
        mib = ", ".join(str(math.ceil(gib * description.MIB)) for gib in more[1:])
        help_["retry_request_memory"] = f'"{mib}"'
    return help_


def _script(end: Job) -> str:
    return f"{end.name}.sh"


def _dagman() -> str:
    """Return DAGMan's program: on PATH, or where the pool's configuration has its programs."""
    binaries = str(htcondor().param.get("BIN", ""))
    found = shutil.which("condor_dagman") or shutil.which("condor_dagman", path=binaries)
    if found is None:
        raise UsageError(
            "condor_dagman is not there, which works off a DAG: submit where HTCondor is "
            f"installed, or start a pool (rootflow pool up) (looked for on PATH and in {binaries})"
        )
    return found
