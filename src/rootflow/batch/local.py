"""Jobs as processes of this machine."""

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from rootflow.batch import contract
from rootflow.batch import job as on_node
from rootflow.batch.contract import ENDED, Job, Logs, State, Status, as_text, from_text
from rootflow.config.batch import JobConfig, ProfileConfig
from rootflow.cores import usable_cores
from rootflow.errors import InputError

STORE = "local.db"
MOMENT = "%Y-%m-%d %H:%M:%S"
SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_TO_WAIT_FOR_STORE = 60.0
TABLE = """
create table if not exists jobs (
    id text primary key, job text, resources text, state text, starts integer,
    failures integer, exit_code integer, reason text, events text
)
"""


class LocalExecutor:
    """Runs jobs as processes that outlive this one, as many at once as there are CPUs for."""

    def __init__(self, profile: ProfileConfig, directory: Path) -> None:
        self._profile = profile
        self._slots = profile.slots or usable_cores()
        self._store = directory / STORE
        directory.mkdir(parents=True, exist_ok=True)
        with self._rows() as rows:
            rows.execute(TABLE)

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Queue the jobs, all or none of them, and return their ids in the same order."""
        token = uuid.uuid4().hex[:12]
        queued = []
        for number, job in enumerate(jobs):
            resources = job.resources or self._profile.job
            contract.prepare(job, resources, self._profile)
            needs = resources.model_dump_json(exclude={"environment"})
            queued.append((f"{token}.{number}", as_text(job), needs))
        with self._rows() as rows:
            insert = "insert into jobs values (?, ?, ?, 'idle', 0, 0, null, '', '')"
            rows.executemany(insert, queued)
        self.tend()
        return [job_id for job_id, _, _ in queued]

    def known(self) -> dict[str, Job]:
        """Return all jobs ever submitted by this executor, whichever process did."""
        with self._rows() as rows:
            found = rows.execute("select id, job from jobs order by rowid").fetchall()
        return {row["id"]: from_text(row["job"]) for row in found}

    def status(self, ids: Sequence[str]) -> dict[str, Status]:
        """Return where jobs are now; an unknown id is an InputError."""
        with self._rows() as rows:
            self._look(rows)
            return {job_id: _status(self._row(rows, job_id)) for job_id in ids}

    def tend(self) -> None:
        """Start as many idle jobs as there are free CPUs."""
        with self._rows() as rows:
            self._look(rows)
            running = rows.execute("select resources from jobs where state = 'running'")
            free = self._slots - sum(_cpus(row) for row in running)
            for row in rows.execute("select * from jobs where state = 'idle' order by rowid"):
                if _cpus(row) > free and free < self._slots:  # a larger one has all to itself
                    break
                free -= _cpus(row)
                self._start(rows, row)

    def wait(self, ids: Sequence[str], timeout: float | None = None) -> dict[str, Status]:
        """Tend until each has ended, or for `timeout` seconds."""
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            self.tend()
            statuses = self.status(ids)
            ended = all(status.state in ENDED for status in statuses.values())
            if ended or time.monotonic() >= deadline:
                return statuses
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def cancel(self, ids: Sequence[str], reason: str) -> None:
        """Remove jobs; those that have ended stay what they are."""
        with self._rows() as rows:
            self._look(rows)
            for row in [self._row(rows, job_id) for job_id in ids]:
                if State(row["state"]) not in ENDED:
                    lock = _directory(row) / on_node.LOCK
                    if lock.exists() and _is_alive(lock.parent):
                        os.kill(int(lock.read_text()), signal.SIGTERM)
                    _change(rows, row["id"], "removed", state="removed", reason=reason)
                    contract.tidy(_directory(row))

    def release(self, ids: Sequence[str], changes: Mapping[str, Any] | None = None) -> None:
        """Make held jobs idle again; the local executor holds none."""
        del changes
        for job_id, status in self.status(ids).items():
            if status.state is not State.HELD:
                raise InputError(f"job {job_id} is {status.state}, not held")

    def name_of(self, job_id: str) -> str:
        """Return the number of the job's process, empty where it has not started."""
        with self._rows() as rows:
            return contract.read(_directory(self._row(rows, job_id)) / on_node.LOCK)

    def advice(self, job_id: str) -> str:
        """Return what is to be done for a held job; the local executor holds none."""
        del job_id
        return ""

    def logs(self, job_id: str) -> Logs:
        """Return what a job has said so far."""
        with self._rows() as rows:
            row = self._row(rows, job_id)
        return contract.logs_of(from_text(row["job"]), row["events"])

    @property
    def shares_files(self) -> bool:
        """Whether the folders of jobs are where these work, rather than what comes back."""
        return True

    def told(self) -> dict[str, list[str]]:
        """Return the words that jobs have told by HTCondor's chirp, which none here has."""
        return {}

    def result(self, job_id: str) -> Any:
        """Return the plain data that a finished job left, if any; one that failed is a JobError."""
        status = self.status([job_id])[job_id]
        with self._rows() as rows:
            return contract.result_of(from_text(self._row(rows, job_id)["job"]), status)

    def describe(self, jobs: Sequence[Job]) -> str:
        """Return what `submit` would start."""
        return "".join(f"cd {job.directory} && {' '.join(job.command)}\n" for job in jobs)

    @contextmanager
    def _rows(self) -> Iterator[sqlite3.Connection]:
        """Yield the table of jobs, for this process alone until the block ends."""
        rows = sqlite3.connect(self._store, timeout=SECONDS_TO_WAIT_FOR_STORE, isolation_level=None)
        rows.row_factory = sqlite3.Row
        with closing(rows), rows:
            rows.execute("begin immediate")
            yield rows

    def _row(self, rows: sqlite3.Connection, job_id: str) -> sqlite3.Row:
        select = "select * from jobs where id = ?"
        found: list[sqlite3.Row] = rows.execute(select, (job_id,)).fetchall()
        if not found:
            raise InputError(f"{self._store}: there is no job {job_id}")
        return found[0]

    def _start(self, rows: sqlite3.Connection, row: sqlite3.Row) -> None:
        directory = _directory(row)
        # A process that was killed right here may have started it without saying so.
        has_run = row["starts"] == 0 and contract.outcome_of(directory) is not None
        if not has_run and not _is_alive(directory):
            (directory / on_node.OUTCOME).unlink(missing_ok=True)
            python = self._profile.python or sys.executable
            subprocess.run(  # noqa: S603 - this package's own program
                [python, "-I", on_node.__file__, "--detach", on_node.SPEC],
                cwd=directory,
                check=True,
            )
        _change(rows, row["id"], "started", state="running", starts=row["starts"] + 1)

    def _look(self, rows: sqlite3.Connection) -> None:
        """Notice which of the running jobs have ended."""
        for row in rows.execute("select * from jobs where state = 'running'").fetchall():
            if not _is_alive(_directory(row)):
                self._end(rows, row)

    def _end(self, rows: sqlite3.Connection, row: sqlite3.Row) -> None:
        outcome = contract.outcome_of(_directory(row))
        exit_code = outcome.exit_code if outcome else None
        failed = exit_code not in (0, None, on_node.GO_ON_LATER)
        failures = row["failures"] + failed
        again = not failed or failures <= self._profile.retries
        job_id = row["id"]
        if exit_code == 0:
            _change(rows, job_id, "ended well", state="done", exit_code=0)
            contract.tidy(_directory(row))
        elif again and row["starts"] < self._profile.limits.starts:
            why = "was killed" if exit_code is None else f"exit code {exit_code}"
            _change(rows, job_id, f"{why}: starts again", state="idle", failures=failures)
        else:
            code = on_node.SIGNALLED + signal.SIGKILL if exit_code is None else exit_code
            reason = contract.reason_of(_directory(row), code, None if failed else row["starts"])
            _change(rows, job_id, reason, state="failed", exit_code=code, reason=reason)
            contract.tidy(_directory(row))


def _status(row: sqlite3.Row) -> Status:
    host = os.uname().nodename if row["starts"] else None
    status = Status(
        State(row["state"]),
        row["exit_code"],
        host,
        row["reason"],
        row["starts"],
        since=_moment_of_last(row["events"]),
    )
    return contract.measured(status, _directory(row))


def _moment_of_last(events: str) -> float | None:
    lines = events.splitlines()
    return time.mktime(time.strptime(lines[-1][:19], MOMENT)) if lines else None


def _directory(row: sqlite3.Row) -> Path:
    return from_text(row["job"]).directory


def _change(rows: sqlite3.Connection, job_id: str, event: str, **values: Any) -> None:
    moment = time.strftime(MOMENT)
    names = ", ".join(f"{name} = ?" for name in values)
    rows.execute(
        f"update jobs set {names}, events = events || ? where id = ?",  # noqa: S608 - own names
        (*values.values(), f"{moment} {event}\n", job_id),
    )


def _cpus(row: sqlite3.Row) -> int:
    return JobConfig.model_validate_json(row["resources"]).cpus


def _is_alive(directory: Path) -> bool:
    """Return whether the job's runner lives: it holds the lock as long as it does."""
    with (directory / on_node.LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
