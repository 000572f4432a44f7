"""Jobs in an HTCondor pool."""

import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rootflow.batch import description
from rootflow.batch.avoidance import Avoidance
from rootflow.batch.care import Care
from rootflow.batch.contract import ENDED, Job, Logs, State, Status
from rootflow.batch.events import EventLog, Progress
from rootflow.batch.folder import (
    outcome_of,
    prepare,
    read,
    reason_of,
    resources_of,
    result_of,
    tidy,
)
from rootflow.batch.job import GO_ON_LATER, STDERR, STDOUT
from rootflow.batch.ledger import JobLedger, Key, Taken, id_of, key_of
from rootflow.batch.queue import Queue
from rootflow.batch.schedd import Schedd
from rootflow.batch.triage import Remedy
from rootflow.config.batch import ProfileConfig
from rootflow.errors import InputError, RootflowError
from rootflow.files import alone_in

SECONDS_BETWEEN_LOOKS = 0.2
MANY = 1000  # jobs; with more of them, looking takes longer
SECONDS_BETWEEN_ROLL_CALLS = 30.0
LOST = "it is no longer in the queue, and its event log does not say why"


class HTCondorExecutor:
    """Keeps the Executor contract with an HTCondor pool.

    Where jobs are is read from the event log; the schedd is asked only to change something,
    except where it keeps the log to itself because files are spooled.
    """

    def __init__(self, profile: ProfileConfig, directory: Path) -> None:
        self._profile = profile
        self._folder = directory.absolute()
        self._folder.mkdir(parents=True, exist_ok=True)
        self._ledger = JobLedger(self._folder)
        self._schedd = Schedd(profile.schedd)
        self._log = (
            Queue(self._folder, self._schedd)
            if profile.files == "spool"
            else EventLog(self._folder / "events.log")
        )
        self._care = Care(self._ledger, self._schedd, self._log, profile.limits)
        self._avoidance = Avoidance(self._folder, self._schedd, profile.limits)
        self._ended: dict[Key, Status] = {}
        self._lost: set[Key] = set()
        self._next_roll_call = time.monotonic() + SECONDS_BETWEEN_ROLL_CALLS
        with alone_in(self._folder):
            self._settle_interrupted_submissions()

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Queue the jobs, all or none of them, and return their ids in the same order."""
        jobs = self._with_resources(jobs)
        ids = [""] * len(jobs)
        for job in jobs:
            prepare(job, resources_of(job, self._profile), self._profile)
        with alone_in(self._folder):
            made: list[int] = []
            try:
                for numbers in _alike(jobs):
                    token, cluster = self._submit([jobs[number] for number in numbers])
                    made.append(cluster)
                    for place, number in enumerate(numbers):
                        ids[number] = id_of((token, place))
            except RootflowError:
                for cluster in made:
                    self._schedd.remove(cluster, "another job of the same submission was refused")
                raise
        return ids

    def known(self) -> dict[str, Job]:
        """Return all jobs ever submitted by this executor, whichever process did."""
        return {
            f"{token}.{number}": job
            for token in self._ledger.clusters()
            for number, job in enumerate(self._ledger.jobs(token))
        }

    def status(self, ids: Sequence[str]) -> dict[str, Status]:
        """Return where jobs are now; an unknown id is an InputError."""
        self._log.follow()
        avoided = self._avoidance.machines()
        return {job_id: _with_blame(self._status(self._key(job_id)), avoided) for job_id in ids}

    def tend(self) -> None:
        """Release what can be helped, give up what cannot; keep jobs from bad machines."""
        self._tend()

    def _tend(self, *, judge_now: bool = False) -> None:
        self._log.follow()
        self._avoidance.look_after(self._log.jobs, now=judge_now)
        if time.monotonic() >= self._next_roll_call:
            self._roll_call()
        if self._care.in_need():
            with alone_in(self._folder):
                self._log.follow()
                avoided = self._avoidance.machines()
                for key in self._care.in_need():
                    self._care.look_after(key, avoided)

    def wait(self, ids: Sequence[str], timeout: float | None = None) -> dict[str, Status]:
        """Tend until each has ended or was given up, or for `timeout` seconds.

        Those that have are looked at once more, however short the time.
        """
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        last_look = False
        while True:
            self._tend(judge_now=last_look)
            statuses = self.status(ids)
            waiting = any(s.state not in ENDED and not s.given_up for s in statuses.values())
            if last_look and not waiting:
                return statuses
            if waiting and time.monotonic() >= deadline:
                return statuses
            # What ended last may say that a machine is to blame for what was given up.
            last_look = not waiting
            if waiting:
                time.sleep(SECONDS_BETWEEN_LOOKS * max(1.0, len(ids) / MANY))

    def cancel(self, ids: Sequence[str], reason: str) -> None:
        """Remove jobs; those that have ended stay what they are."""
        by_submission = defaultdict(list)
        for job_id, status in self.status(ids).items():
            key = self._key(job_id)
            if status.state not in ENDED:
                by_submission[key[0]].append(key)
            if status.given_up:  # no longer: `wait` is to see it go
                hold = self._log.jobs[key].holds
                self._ledger.note(Taken(job_id, hold, Remedy("by hand", reason)))
        for token, keys in by_submission.items():
            cluster = self._ledger.cluster(token)
            there = [key for key in keys if key in self._log.jobs]
            ended = sum(
                submission == token and progress.state in ENDED
                for (submission, _), progress in self._log.jobs.items()
            )
            if len(keys) + ended == len(self._ledger.jobs(token)):
                self._schedd.remove(cluster, reason)
            elif there:
                self._schedd.remove([self._ledger.name(key) for key in there], reason)
            for key in set(keys) - set(there):  # HTCondor has not made them yet
                self._ledger.note(Taken(id_of(key), 0, Remedy("cancel", reason)))

    def release(self, ids: Sequence[str], changes: Mapping[str, Any] | None = None) -> None:
        """Make held jobs idle again; `changes` are words of JobConfig: {"memory_gib": 4}."""
        attributes = description.attributes(changes or {})
        keys = [self._key(job_id) for job_id in ids]
        for job_id, status in self.status(ids).items():
            if status.state is not State.HELD:
                raise InputError(f"job {job_id} is {status.state}, not held")
        names = [self._ledger.name(key) for key in keys]
        self._schedd.edit(names, attributes)
        given = changes or {}
        for job_id, key in zip(ids, keys, strict=True):
            decision = Remedy(
                "by hand", memory_gib=given.get("memory_gib"), disk_gib=given.get("disk_gib")
            )
            self._ledger.note(Taken(job_id, self._log.jobs[key].holds, decision))
        self._schedd.release(names, "released by rootflow")

    def name_of(self, job_id: str) -> str:
        """Return what HTCondor calls the job: cluster.proc."""
        return self._ledger.name(self._key(job_id))

    def logs(self, job_id: str) -> Logs:
        """Return what a job has said so far."""
        key = self._key(job_id)
        self._log.follow()
        directory = self._ledger.job(key).directory
        said = [read(directory / name) for name in (STDOUT, STDERR)]
        return Logs(said[0], said[1], self._log.text(*key))

    def result(self, job_id: str) -> Any:
        """Return the plain data that a finished job left, None where it left nothing."""
        return result_of(self._ledger.job(self._key(job_id)), self.status([job_id])[job_id])

    def describe(self, jobs: Sequence[Job]) -> str:
        """Return the submit files that `submit` would hand over."""
        jobs = self._with_resources(jobs)
        groups = [[jobs[number] for number in numbers] for numbers in _alike(jobs)]
        return "\n".join(self._text(group, "dry-run") for group in groups)

    # -- submitting

    def _with_resources(self, jobs: Sequence[Job]) -> list[Job]:
        """Return jobs that say what they need: more where such jobs needed it."""
        return [
            job._replace(
                resources=self._care.with_what_was_learnt(resources_of(job, self._profile))
            )
            for job in jobs
        ]

    def _submit(self, jobs: Sequence[Job]) -> tuple[str, int]:
        token = self._ledger.plan(jobs)
        try:
            text = self._text(jobs, token)
            cluster = self._schedd.submit(text, token, spool=self._profile.files == "spool")
        except RootflowError:
            self._ledger.withdraw(token)
            raise
        self._ledger.confirm(token, cluster)
        return token, cluster

    def _text(self, jobs: Sequence[Job], token: str) -> str:
        resources = resources_of(jobs[0], self._profile)
        avoided = self._avoidance.machines()
        words = description.describe(resources, self._profile, self._folder, token, avoided)
        # Jobs that HTCondor makes later cannot be spooled.
        if len(jobs) > self._profile.limits.idle and self._profile.files != "spool":
            words["max_idle"] = str(self._profile.limits.idle)
        return description.as_text(words, description.items(jobs))

    def _settle_interrupted_submissions(self) -> None:
        """Forget submissions that were planned and not made; note those that were."""
        for token, cluster in self._ledger.clusters().items():
            if cluster is None:
                arrived = self._find_cluster(token)
                if arrived is None:
                    self._ledger.withdraw(token)
                else:
                    self._ledger.confirm(token, arrived)

    def _find_cluster(self, token: str) -> int | None:
        self._log.follow()
        if token in self._log.clusters:
            return self._log.clusters[token]
        constraint = f"{description.SUBMISSION} =?= {description.literal(token)}"
        ads = self._schedd.query(self._folder, ["ClusterId"], constraint)
        return int(ads[0]["ClusterId"]) if ads else None

    # -- watching

    def _status(self, key: Key) -> Status:
        if key in self._ended:
            return self._ended[key]
        progress = self._log.jobs.get(key)
        taken = self._ledger.taken(key)
        if progress is None:
            cancelled = [each.decision.explanation for each in taken]
            if cancelled:
                return Status(State.REMOVED, reason=cancelled[0])
            progress = Progress()
        status = progress.status()
        if key in self._lost and status.state not in ENDED:
            return status._replace(state=State.REMOVED, reason=LOST)
        if status.state is State.HELD:
            about_it = [each.decision for each in taken if each.hold == progress.holds]
            if about_it and about_it[-1].action == "give up":
                status = status._replace(given_up=True, reason=about_it[-1].explanation)
        if status.state in ENDED:
            status = self._ended[key] = self._explain(key, status, taken)
        return status

    def _explain(self, key: Key, status: Status, taken: Sequence[Taken]) -> Status:
        """Return the status of a job that has ended, with what it says itself."""
        directory = self._ledger.job(key).directory
        tidy(directory)
        outcome = outcome_of(directory)
        if outcome is not None:
            status = status._replace(
                wall_seconds=outcome.wall_seconds, memory_mib=outcome.memory_mib
            )
        if status.state is State.FAILED and status.exit_code is not None:
            reason = reason_of(directory, status.exit_code)
            if status.exit_code == GO_ON_LATER:
                reason = f"given up after {status.starts} starts (limits.starts): {reason}"
            status = status._replace(reason=reason)
        for _, _, decision in taken:
            if status.state is State.REMOVED and decision.action == "remove":
                status = status._replace(state=State.FAILED, reason=decision.explanation)
        return status

    def _roll_call(self) -> None:
        """Find the jobs that the schedd does not know any more: its queue can be lost."""
        self._next_roll_call = time.monotonic() + SECONDS_BETWEEN_ROLL_CALLS
        if not self._schedd.answers():
            return
        known = self._ledger.clusters()
        there = {int(ad["ClusterId"]) for ad in self._schedd.query(self._folder, ["ClusterId"])}
        self._log.follow()  # what left the queue meanwhile is in the log by now
        gone = [token for token, cluster in known.items() if cluster and cluster not in there]
        self._lost = {
            (token, number) for token in gone for number in range(len(self._ledger.jobs(token)))
        }

    # -- names

    def _key(self, job_id: str) -> Key:
        if not re.fullmatch(r"\w+\.\d+", job_id) or not self._ledger.has(key_of(job_id)[0]):
            raise InputError(f"{self._folder}: there is no job {job_id}")
        return key_of(job_id)


def _with_blame(status: Status, avoided: Mapping[str, str]) -> Status:
    """Return the status with what is known of the machine, where that is to blame for it."""
    why = avoided.get(status.host or "")
    if why is not None and status.state in (State.FAILED, State.HELD):
        blame = f"jobs avoid {status.host}: {why}"
        return status._replace(reason=f"{status.reason}; {blame}", machine_at_fault=True)
    return status


def _alike(jobs: Sequence[Job]) -> list[list[int]]:
    """Return the numbers of the jobs that one submission can hold: they need the same."""
    groups = defaultdict(list)
    for number, job in enumerate(jobs):
        groups[job.resources and job.resources.model_dump_json()].append(number)
    return list(groups.values())
