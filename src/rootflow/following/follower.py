"""The process that follows."""

import fcntl
import os
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rootflow.batch import ENDED, Executor, State, Status, executor_in
from rootflow.errors import InputError, RootflowError
from rootflow.following.news import STATUS, Answer, News, Outcome, Question, Teller, status_of
from rootflow.following.records import (
    LOCK,
    Ending,
    Followed,
    ending_of,
    find,
    how_in,
    marks,
    say_ended,
)

SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_BETWEEN_TRIES = 15.0
SECONDS_BETWEEN_QUESTIONS = 300.0
SECONDS_TO_STAY = 60.0  # without a job
MANY = 1000  # jobs; with more of them, looking takes longer
DELETED = "its MLflow run was deleted"
METRICS = ("wall_seconds", "memory_mib", "starts")


@dataclass
class Job:
    """A job that is followed, and what was told of it last."""

    followed: Followed
    mark: Path
    told: Status | None = None
    telling: Status | None = None
    given_up: str = ""
    not_before: float = 0.0


class Follower:
    """Follows every job that has its mark in `place`, until each has ended and was told of."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._jobs: dict[str, Job] = {}
        # The newest of each server: tokens are renewed.
        self._logins: dict[str, dict[str, str]] = {}
        self._executors: dict[Path, Executor] = {}
        self._not_before: dict[Path, float] = {}
        self._teller = Teller(how_in(place).teller)
        self._next_question = time.monotonic() + SECONDS_BETWEEN_QUESTIONS

    def run(self) -> None:
        """Look, and tell, until there has been nothing to follow for a minute."""
        last = time.monotonic()
        while time.monotonic() - last < SECONDS_TO_STAY:
            if not self._place.is_dir():
                return
            if self.look():
                last = time.monotonic()
            time.sleep(SECONDS_BETWEEN_LOOKS * max(1.0, len(self._jobs) / MANY))
        self._teller.end()

    def look(self) -> bool:
        """Look at all jobs once; return whether there is any."""
        self._take_over()
        for answer in self._teller.answers():
            self._hear(answer)
        by_executor: dict[Path, list[Job]] = defaultdict(list)
        for job in self._jobs.values():
            by_executor[job.followed.executor_folder].append(job)
        for folder, jobs in by_executor.items():
            statuses = self._statuses(folder, jobs)
            for job in jobs:
                if job.followed.job_id in statuses:
                    self._consider(job, statuses[job.followed.job_id])
        for folder in set(self._executors) - set(by_executor):
            del self._executors[folder]
        self._ask()
        return bool(self._jobs)

    def _take_over(self) -> None:
        for name in set(marks(self._place)) - set(self._jobs):
            mark, folder = self._place / name, self._place.parents[1] / name
            try:
                if ending_of(folder) is None:
                    job = find(folder)
                    self._jobs[name] = Job(job, mark, given_up=mark.read_text())
                    self._logins[job.tracking_uri] = job.login
                    continue
            except InputError as error:
                _say(f"not followed: {error}")
            mark.unlink(missing_ok=True)

    def _statuses(self, folder: Path, jobs: Sequence[Job]) -> Mapping[str, Status]:
        """Return where jobs of one executor are; nothing while the batch system is away."""
        if time.monotonic() < self._not_before.get(folder, 0.0):
            return {}
        ids = [job.followed.job_id for job in jobs]
        try:
            if folder not in self._executors:
                self._executors[folder] = executor_in(folder)
            self._executors[folder].tend()
            return self._executors[folder].status(ids)
        except InputError as error:  # somebody has removed it
            _say(str(error))
            lost = Status(State.FAILED, reason=f"what became of the job is not known: {error}")
            return dict.fromkeys(ids, lost)
        except Exception as error:  # whatever it is, the jobs of other executors go on
            known = isinstance(error, RootflowError | OSError)
            _say(str(error) if known else traceback.format_exc())
            self._not_before[folder] = time.monotonic() + SECONDS_BETWEEN_TRIES
            return {}

    def _consider(self, job: Job, status: Status) -> None:
        """Have it told what is new of a job."""
        waits = job.telling is not None or time.monotonic() < job.not_before
        if waits or _word(status) == _word(job.told) or not self._teller.takes_more:
            return
        if status.given_up and not job.given_up:
            job.given_up = status.reason
            job.mark.write_text(status.reason)
        tags = {"state": str(status.state), "starts": str(status.starts)}
        tags["reason"] = job.given_up or status.reason
        if status.host:
            tags["host"] = status.host
        used = {name: getattr(status, name) for name in METRICS if status.state in ENDED}
        metrics = {name: float(value) for name, value in used.items() if value is not None}
        job.telling = status
        followed = replace(job.followed, login=self._logins[job.followed.tracking_uri])
        self._teller.tell(News(followed, status.state, tags, metrics, given_up=bool(job.given_up)))

    def _hear(self, answer: Answer) -> None:
        for job in [self._jobs[run] for run in answer.runs if run in self._jobs]:
            if answer.outcome is Outcome.DELETED:
                self._remove(job, DELETED)
                self._end(job, Ending(STATUS[State.REMOVED], DELETED))
            elif answer.outcome is Outcome.AWAY:
                _say(f"run {job.followed.run_id} is told later: {answer.why}")
                job.telling, job.not_before = None, time.monotonic() + SECONDS_BETWEEN_TRIES
            elif job.telling is not None:
                if answer.outcome is Outcome.REFUSED:
                    _say(f"run {job.followed.run_id} cannot be told: {answer.why}")
                self._go_on(job, job.telling)

    def _go_on(self, job: Job, told: Status) -> None:
        """Do what follows from what the run says by now."""
        job.told, job.telling = told, None
        if told.state in ENDED:
            status = status_of(told.state, given_up=bool(job.given_up))
            self._end(job, Ending(status, job.given_up or told.reason))
        elif job.given_up:
            self._remove(job, job.given_up[:200])

    def _remove(self, job: Job, reason: str) -> None:
        executor = self._executors.get(job.followed.executor_folder)
        try:
            if executor is not None:
                executor.cancel([job.followed.job_id], reason)
        except RootflowError as error:
            _say(f"run {job.followed.run_id}: its job cannot be removed yet: {error}")
            job.told, job.not_before = None, time.monotonic() + SECONDS_BETWEEN_TRIES

    def _end(self, job: Job, ending: Ending) -> None:
        if job.followed.folder.is_dir():
            say_ended(job.followed.folder, ending)
            job.followed.forget_login()
        job.mark.unlink(missing_ok=True)
        del self._jobs[job.followed.run_id]

    def _ask(self) -> None:
        """Ask which runs were deleted: now and then, and where somebody has just come to tell."""
        due = time.monotonic() >= self._next_question or self._teller.is_new
        if not (self._jobs and due and self._teller.takes_more):
            return
        by_server: dict[str, list[Followed]] = defaultdict(list)
        for job in self._jobs.values():
            by_server[job.followed.tracking_uri].append(job.followed)
        for uri, jobs in by_server.items():
            experiments = sorted({job.experiment_id for job in jobs})
            self._teller.tell(
                Question(uri, self._logins[uri], experiments, [job.run_id for job in jobs])
            )
        self._next_question = time.monotonic() + SECONDS_BETWEEN_QUESTIONS


def _word(status: Status | None) -> tuple[object, ...]:
    """Return what a run says of its job: it is told where this changes."""
    return () if status is None else (status.state, status.starts, status.reason, status.host)


def _say(what: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {what}\n")


@contextmanager
def _alone_in(place: Path) -> Iterator[bool]:
    """Yield whether this is the only process that follows in `place` while the block lasts."""
    with (place / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield True


def main(place: Path) -> None:
    """Follow, unless another process does."""
    while marks(place):
        with _alone_in(place) as alone:
            if not alone:
                return
            Follower(place).run()
