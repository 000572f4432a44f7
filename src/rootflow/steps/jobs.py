"""All jobs that rootflow knows of: those below an output directory, and those in the queue."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from rootflow.batch import ENDED, PROFILE, Executor, State, Status, executor_in
from rootflow.batch.progress import ATTRIBUTES, progress_of
from rootflow.batch.schedd import Schedd
from rootflow.errors import InputError, RootflowError
from rootflow.files import alone_in
from rootflow.following import resume
from rootflow.following.records import ENDED as HAS_ENDED
from rootflow.following.records import FOLLOWING, is_followed, marks
from rootflow.progress import say
from rootflow.steps.result import StepResult

# Where executors keep their jobs, below the output directory: those of runs, and of studies.
RUNS, EXECUTORS, ARCHIVES = "batch", "executors", "archives"
PLACES = (f"{RUNS}/{EXECUTORS}/*", "studies/*/jobs")
NAMES = ("JobDescription", "JobBatchName")
SECONDS_SHOWN = 86400.0
MIB = 2**20


class Known(NamedTuple):
    """A job as the batch system and as the user know it, and where it is now."""

    job: str
    name: str
    status: Status
    advice: str = ""


def run(output: Path, *, everything: bool = False) -> StepResult:
    """Return a table of the jobs; of those that ended only the ones of the last day.

    Where nobody follows the jobs of runs, they are followed from now on.
    """
    resume(output.absolute() / RUNS)
    known = sorted(_known(output), key=lambda each: each.status.since or 0.0)
    since = 0.0 if everything else time.time() - SECONDS_SHOWN
    shown = [k for k in known if k.status.state not in ENDED or (k.status.since or 0.0) >= since]
    counts = {state: sum(k.status.state is state for k in known) for state in State}
    facts: dict[str, Any] = {str(state): count for state, count in counts.items() if count}
    if not known:
        facts["jobs"] = "none"
    if len(shown) < len(known):
        facts["not shown"] = f"{len(known) - len(shown)} that ended more than a day ago (--all)"
    return StepResult("jobs", "", facts, {"jobs": [_row(each) for each in shown]})


def _row(known: Known) -> dict[str, Any]:
    status, since = known.status, known.status.since
    return {
        "job": known.job or None,
        "name": known.name,
        "state": str(status.state),
        "host": status.host,
        "since": datetime.fromtimestamp(since).isoformat(" ", "seconds") if since else None,
        "why": ": ".join(filter(None, (status.reason, known.advice))) or None,
    }


def _known(output: Path) -> Iterator[Known]:
    """Yield the jobs of executors below `output`, and of the queue, whoever submitted them."""
    try:
        in_queue = Schedd(None).jobs_of_user([*ATTRIBUTES, *NAMES])
    except RootflowError:
        in_queue = {}  # no pool is no error: jobs may be processes of this machine
    below = {folder for place in PLACES for folder in output.absolute().glob(place)}
    for folder in sorted(below | set(in_queue)):
        try:
            if (folder / PROFILE).exists():
                yield from _known_to(executor_in(folder))
            else:  # a DAG's, or on another machine
                yield from map(_known_by, in_queue.get(folder, ()))
        except RootflowError as error:
            say(f"rootflow: {folder}: {error}")


def _known_to(executor: Executor) -> Iterator[Known]:
    jobs = executor.known()
    for job_id, status in executor.status(list(jobs)).items():
        asks = status.state is State.HELD and not status.given_up
        advice = executor.advice(job_id) if asks else ""
        yield Known(executor.name_of(job_id), jobs[job_id].name, status, advice)


def _known_by(ad: Any) -> Known:
    """Return a job that only the queue knows of."""
    name = next((str(ad[each]) for each in NAMES if each in ad), "")
    return Known(f"{ad['ClusterId']}.{ad['ProcId']}", name, progress_of(ad))


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


class Removed:
    """Counts what is removed, and its bytes."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.bytes = 0

    def remove(self, path: Path, kind: str, but: Sequence[Path] = ()) -> None:
        """Remove a file or a folder, `but` some of what is in it."""
        self._remove(path, but)
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def _remove(self, path: Path, but: Sequence[Path]) -> None:
        if path in but:
            return
        if path.is_dir() and not path.is_symlink():
            for each in list(path.iterdir()):
                self._remove(each, but)
            if not any(path.iterdir()):
                path.rmdir()
        else:
            self.bytes += path.lstat().st_size
            path.unlink()


def clean(output: Path) -> StepResult:
    """Remove what jobs of runs that have ended left: folders, archives, logs.

    What came back of a job's project stays, and everything of a study: that is its result.
    """
    runs = output.absolute() / RUNS
    if not runs.is_dir():
        raise InputError(f"{output}: no run was submitted from here: there is no {RUNS} in it")
    removed, left = Removed(), _Left(set(), {})
    for folder in sorted((runs / EXECUTORS).glob("*/")):
        _clean_executor(folder, left, removed)
    kept = _clean_folders(runs, left, removed)
    for archive in sorted((runs / ARCHIVES).glob("*.tar")):
        if archive not in left.needed:
            removed.remove(archive, "archives")
    for place in sorted((runs / FOLLOWING).glob("*/")):
        if not marks(place) and not is_followed(place):
            removed.remove(place, "logs")
    facts: dict[str, Any] = {**removed.counts, "freed": f"{removed.bytes / MIB:.1f} MiB"}
    if kept:
        facts["kept what jobs made"] = [_short(path) for path in kept]
    return StepResult("jobs", "", facts)


class _Left(NamedTuple):
    """What jobs that go on still need, and what ended ones made, by the folders of their runs."""

    needed: set[Path]
    made: dict[Path, list[Path]]


def _clean_executor(folder: Path, left: _Left, removed: Removed) -> None:
    """Remove an executor whose jobs have ended and were told of."""
    executor = executor_in(folder)
    with alone_in(folder):
        jobs = executor.known()
        statuses = executor.status(list(jobs))
        for job_id, job in jobs.items():
            if statuses[job_id].state not in ENDED:
                left.needed.update((*job.inputs, *job.packages.values()))
            left.made[job.directory.parent] = [job.directory / name for name in job.outputs]
        told = all((run / HAS_ENDED).exists() for run in left.made if run.exists())
        if told and all(status.state in ENDED for status in statuses.values()):
            removed.remove(folder, "logs")


def _clean_folders(runs: Path, left: _Left, removed: Removed) -> list[Path]:
    """Remove the folders of runs that have ended, but for what they made; return that."""
    kept = []
    for ending in sorted(runs.glob(f"*/{HAS_ENDED}")):
        made = [path for path in left.made.get(ending.parent, ()) if _is_something(path)]
        kept += made
        removed.remove(ending.parent, "runs", but=made)
    return kept


def _is_something(path: Path) -> bool:
    return path.is_file() or (path.is_dir() and any(path.iterdir()))
