"""Which jobs are followed: a file for each, and the process that reads them."""

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pydantic import TypeAdapter

from rootflow.batch import Executor, executor_in
from rootflow.batch.contract import read
from rootflow.batch.schedd import CONFIG
from rootflow.errors import InputError, RootflowError, UsageError
from rootflow.files import whole_file
from rootflow.progress import say_once
from rootflow.secrets import hidden

RECORD, ENDED = "followed.json", "ended.json"
FOLLOWING = "following"
LOCK, LOG, HOW = "lock", "log.txt", "how.json"
NOT_MARKS = {LOCK, LOG, HOW}
SECONDS_BETWEEN_LOOKS = 0.3
SECONDS_BETWEEN_STARTS = 5.0
PRIVATE = 0o600


@dataclass(frozen=True)
class Followed:
    """A job and the run that it is the job of.

    Attributes
    ----------
    folder
        Of the run: what the job has and leaves, and how it ended.
    executor_folder
        Of the executor that knows the job by its `job_id`.
    login
        The variables of the environment by which the server may be used.
    spool
        Where what the job logged comes back, None where it logs to the server itself.
    """

    folder: Path
    executor_folder: Path
    job_id: str
    run_id: str
    experiment_id: str
    tracking_uri: str
    login: dict[str, str]
    spool: Path | None = None

    @cached_property
    def executor(self) -> Executor:
        """The executor that knows the job."""
        return executor_in(self.executor_folder)

    def keep(self) -> None:
        """Write it down in the run's folder, for its owner alone to read."""
        with whole_file(self.folder / RECORD, private=True) as partial:
            partial.write_bytes(_FOLLOWED.dump_json(self, indent=1))

    def forget_login(self) -> None:
        """Leave out of what is written down what only following needed."""
        replace(self, tracking_uri=hidden(self.tracking_uri), login={}).keep()

    @property
    def name(self) -> str:
        """The job as the batch system calls it: cluster.proc."""
        return self.executor.name_of(self.job_id)


@dataclass(frozen=True)
class Ending:
    """How a run ended, in MLflow's word for it, and why where that is known."""

    status: str
    reason: str = ""


@dataclass(frozen=True)
class How:
    """What the process that follows has to know: HTCondor's configuration, and who tells."""

    condor_config: str | None
    teller: tuple[str, ...]


_FOLLOWED, _ENDING, _HOW = TypeAdapter(Followed), TypeAdapter(Ending), TypeAdapter(How)


def find(folder: Path) -> Followed:
    """Return the job that was submitted for the run in `folder`."""
    try:
        return _FOLLOWED.validate_json((folder / RECORD).read_bytes())
    except FileNotFoundError:
        raise InputError(f"{folder}: no job of `mlflow run` was submitted there") from None
    except ValueError:
        raise InputError(f"{folder / RECORD}: is damaged, or of another rootflow") from None


def ending_of(folder: Path) -> Ending | None:
    """Return how the run in `folder` ended, None where it has not."""
    text = read(folder / ENDED)
    return _ENDING.validate_json(text) if text else None


def say_ended(folder: Path, ending: Ending) -> None:
    """Keep how the run in `folder` ended."""
    with whole_file(folder / ENDED) as partial:
        partial.write_bytes(_ENDING.dump_json(ending))


def hand_over(jobs: Sequence[Followed], teller: Sequence[str]) -> None:
    """Have these jobs, whose runs are kept beside each other, followed to their ends.

    `teller` is the program, after Python, that tells of what happens.
    """
    how = How(os.environ.get(CONFIG), tuple(teller))
    # Runs of several pools may share a folder: one process knows one pool.
    key = hashlib.sha256((how.condor_config or "").encode()).hexdigest()[:8]
    place = jobs[0].folder.parent / FOLLOWING / key
    with whole_file(place / HOW) as partial:
        partial.write_bytes(_HOW.dump_json(how))
    for job in jobs:
        job.keep()
        (place / job.run_id).touch()
    _start(place)


def follow(folder: Path) -> Ending:
    """Wait until the run in `folder` has ended; where nobody follows its job, have it followed.

    What the batch system says of the job meanwhile, this process says, too.
    """
    job, next_start = find(folder), 0.0
    while (ending := ending_of(folder)) is None:
        if time.monotonic() >= next_start:
            resume(folder.parent)
            next_start = time.monotonic() + SECONDS_BETWEEN_STARTS
        if job.executor_folder.exists():
            _tend(job.executor)
        time.sleep(SECONDS_BETWEEN_LOOKS)
    return ending


def _tend(executor: Executor) -> None:
    try:
        executor.tend()
    except (InputError, UsageError):
        raise
    except RootflowError as error:  # the batch system is away, and may be back
        say_once(f"rootflow: {error}; trying again")


def resume(runs: Path) -> None:
    """Have the runs kept in this folder followed, as far as they are not."""
    for place in (runs / FOLLOWING).glob("*/"):
        if marks(place):
            _start(place)


def marks(place: Path) -> list[str]:
    """Return the runs whose jobs are followed in `place`."""
    return [name for name in os.listdir(place) if name[0] != "." and name not in NOT_MARKS]  # noqa: PTH208 - names are all that is asked for


def is_followed(place: Path) -> bool:
    """Return whether a process is at work in `place`: it has the lock as long as it lives."""
    with (place / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def how_in(place: Path) -> How:
    """Return what was said to the process that follows in `place`."""
    return _HOW.validate_json((place / HOW).read_bytes())


def _start(place: Path) -> None:
    if is_followed(place):
        return
    how = how_in(place)
    pool = {CONFIG: how.condor_config} if how.condor_config is not None else {}
    log = os.open(place / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, PRIVATE)
    with os.fdopen(log, "w") as stream:
        process = subprocess.Popen(  # noqa: S603 - this package's own program
            [sys.executable, "-m", __package__, str(place)],
            env={**os.environ, **pool, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process.returncode = 0  # it outlives this process: nobody waits for it
