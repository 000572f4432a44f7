"""Steps as DAGs of jobs, which DAGMan works off: what all of them share.

`chain` has the steps of a configuration, `apply` that of an exported model. A DAG has a folder,
whose name is the same whenever the same is asked for: by that it is found again.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rootflow.batch import Job, contract, dag
from rootflow.batch.dag import Node
from rootflow.config import digest_of
from rootflow.config.batch import ProfileConfig
from rootflow.errors import RootflowError, UsageError
from rootflow.files import LOCK, whole_file
from rootflow.progress import progress, say

ENDED = "ended.txt"
FINISHED = "FINISHED"
ENDINGS = {dag.WELL: FINISHED, dag.REMOVED: "KILLED"}
SECONDS_BETWEEN_LOOKS = 1.0


def require_dagman(profile: ProfileConfig) -> None:
    """Refuse a profile of a pool where DAGMan does not see the files of this machine."""
    if profile.executor != "htcondor" or profile.files == "spool":
        raise UsageError(
            "--dag takes a profile with executor: htcondor and files: shared or transfer: DAGMan "
            "runs where the schedd is, and finds its files there; this says "
            f"{profile.executor} and {profile.files}"
        )


def folder_of(step: str, asked: Any, profile: ProfileConfig) -> Path:
    """Return where the DAG of a step is kept, of which plain data say what is asked."""
    return profile.folder.absolute() / f"{step}-{digest_of([step, asked, str(Path.cwd())])}"


def make_room(folder: Path, profile: ProfileConfig) -> bool:
    """Return whether a DAG is left in a folder that did not end well; of others nothing is left.

    One that is at work is a UsageError.
    """
    if (found := dag.standing(folder, profile)) is not None:
        raise UsageError(
            f"this DAG is at work already, as job {found.cluster}, with {found.done} of "
            f"{found.total} nodes done: wait for it, or remove it (condor_rm {found.cluster})"
        )
    if (folder / dag.DAG).exists() and _ending(folder) != FINISHED:
        (folder / ENDED).unlink(missing_ok=True)
        return True
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
    return False


def hand_over(nodes: Sequence[Node], end: Job, folder: Path, profile: ProfileConfig) -> str:
    """Write a DAG, submit it and return what HTCondor calls DAGMan's job."""
    dag.write(nodes, end, folder, profile)
    job = f"{dag.submit(folder, profile)}.0"
    say(f"DAG {job} of {len(nodes)} nodes, kept in {folder}")
    return job


def wait(step: str, nodes: Sequence[Node], folder: Path, profile: ProfileConfig) -> None:
    """Return when a DAG has ended well; else a RootflowError says which nodes have failed."""
    told = 0
    try:
        with progress(step, len(nodes), "nodes") as advance:
            while (found := dag.standing(folder, profile)) is not None:
                done = min(found.done, len(nodes))
                if done > told:
                    advance(done - told)
                    told = done
                time.sleep(SECONDS_BETWEEN_LOOKS)
    except KeyboardInterrupt:
        dag.remove(folder, profile, "interrupted")
        raise
    ending = _ending(folder)
    if ending != FINISHED:
        names = [node.job.name for node in nodes if not node.may_fail]
        why = why_failed(folder, names) or f"DAGMan: {dag.complaint(folder) or f'see {folder}'}"
        raise RootflowError(
            f"{step} {ending or 'FAILED'}: {why}; submit {step} again to go on from there"
        )


def why_failed(folder: Path, names: Sequence[str]) -> str:
    """Return which of these nodes have failed, and why, in one line; empty where none has."""
    failures = dag.failures(folder, {name: folder / name for name in names})
    return "; ".join(f"{name}: {said}" for name, said in failures.items())


def say_what_failed(folder: Path, prefix: str) -> None:
    """Tell which of the nodes whose names begin so have failed, for one that goes on after them."""
    nodes = sorted(path.name for path in folder.glob(f"{prefix}*") if path.is_dir())
    if why := why_failed(folder, nodes):
        say(f"jobs have failed, what they left is done here: {why}")


def end(folder: Path, tell: Callable[[str], None] = lambda _: None) -> None:
    """Say how a DAG has ended, as DAGMan tells it in the environment: FINISHED."""
    ending = ENDINGS.get(int(os.environ[dag.STATUS]), "FAILED")
    tell(ending)
    for path in folder.iterdir():
        if path.is_dir():
            contract.tidy(path)
    with whole_file(folder / ENDED) as partial:
        partial.write_text(ending)


def describe(
    make: Callable[[Path], tuple[list[Node], Job]], folder: Path, profile: ProfileConfig
) -> str:
    """Return what would be handed over: each file of a DAG, made elsewhere, below its name."""
    with tempfile.TemporaryDirectory() as temporary:
        nodes, last = make(Path(temporary))
        files = dag.describe(nodes, last, Path(temporary), profile)
    text = "\n".join(f"# {name}\n{content}" for name, content in files.items())
    return text.replace(temporary, str(folder)).replace(temporary[1:], str(folder)[1:])


def _ending(folder: Path) -> str | None:
    with suppress(FileNotFoundError):
        return (folder / ENDED).read_text()
    return None
