"""Jobs in an HTCondor pool."""

import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rootflow.batch import chirp, contract, credd, description
from rootflow.batch.avoidance import Avoidance
from rootflow.batch.care import Care, JobLedger, Remedy, Taken, explanation
from rootflow.batch.contract import ENDED, Job, Logs, State, Status
from rootflow.batch.job import GO_ON_LATER
from rootflow.batch.matching import Matching
from rootflow.batch.progress import EventLog, Progress, Queue
from rootflow.batch.schedd import Schedd
from rootflow.config.batch import ProfileConfig
from rootflow.errors import InputError, RootflowError
from rootflow.files import alone_in

SECONDS_BETWEEN_LOOKS = 0.2
MANY = 1000  # jobs; with more of them, looking takes longer
SECONDS_BETWEEN_ROLL_CALLS = 30.0


class HTCondorExecutor:
    """Runs jobs in an HTCondor pool; see `rootflow.batch`.

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
        self._care = Care(self._ledger, self._schedd, self._log, profile)
        self._avoidance = Avoidance(self._folder, self._schedd, profile.limits)
        self._matching = Matching(self._folder, self._schedd, self._ledger.name, profile.limits)
        self._ended: dict[str, Status] = {}
        self._lost: set[str] = set()
        self._next_roll_call = time.monotonic() + SECONDS_BETWEEN_ROLL_CALLS
        with alone_in(self._folder):
            self._settle_interrupted_submissions()

    def submit(self, jobs: Sequence[Job]) -> list[str]:
        """Queue the jobs, all or none of them, and return their ids in the same order."""
        jobs = self._care.with_what_was_learnt(jobs)
        description.require_limits(jobs, self._profile)
        ids: dict[int, str] = {}
        for job in jobs:
            contract.prepare(job, job.resources or self._profile.job, self._profile)
        with alone_in(self._folder):
            made: list[int] = []
            try:
                for numbers in _alike(jobs):
                    token, cluster = self._submit([jobs[number] for number in numbers])
                    made.append(cluster)
                    ids |= {number: f"{token}.{place}" for place, number in enumerate(numbers)}
            except RootflowError:
                for cluster in made:
                    self._schedd.remove(cluster, "another job of the same submission was refused")
                for job in jobs:
                    contract.tidy(job.directory, State.IDLE)
                raise
        return [ids[number] for number in range(len(jobs))]

    def known(self) -> dict[str, Job]:
        """Return all jobs ever submitted by this executor, whichever process did."""
        return {
            f"{token}.{number}": job
            for token in self._ledger.clusters()
            for number, job in enumerate(self._ledger.jobs(token))
        }

    def status(self, ids: Sequence[str]) -> dict[str, Status]:
        """Return where jobs are now; an unknown id is an InputError."""
        self._require(ids)
        self._log.follow()
        avoided = self._avoidance.machines()
        return {job_id: _with_blame(self._status(job_id), avoided) for job_id in ids}

    def tend(self, *, judge_now: bool = False) -> None:
        """Release what can be helped, give up what cannot; keep jobs from bad machines."""
        self._log.follow()
        self._avoidance.look_after(self._log.jobs, now=judge_now)
        self._matching.look_after(self._log.jobs)
        if time.monotonic() >= self._next_roll_call:
            self._roll_call()
        if self._care.in_need():
            with alone_in(self._folder):
                self._log.follow()
                avoided = self._avoidance.machines()
                for job_id in self._care.in_need():
                    self._care.look_after(job_id, avoided)

    def wait(self, ids: Sequence[str], timeout: float | None = None) -> dict[str, Status]:
        """Tend until each has ended or was given up, or for `timeout` seconds.

        Whether a machine is at fault is said by all that has happened until then.
        """
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        last_look = False
        while True:
            self.tend(judge_now=last_look)
            statuses = self.status(ids)
            waiting = any(s.state not in ENDED and not s.given_up for s in statuses.values())
            if (waiting and time.monotonic() >= deadline) or (last_look and not waiting):
                return statuses
            # What ended last may say that a machine is to blame for what was given up.
            last_look = not waiting
            if waiting:
                time.sleep(SECONDS_BETWEEN_LOOKS * max(1.0, len(ids) / MANY))

    def cancel(self, ids: Sequence[str], reason: str) -> None:
        """Remove jobs; those that have ended stay what they are."""
        jobs = self._log.jobs
        by_submission = defaultdict(list)
        for job_id, status in self.status(ids).items():
            if status.state not in ENDED:
                by_submission[_token(job_id)].append(job_id)
            if status.given_up:  # no longer: `wait` is to see it go
                self._ledger.note(job_id, jobs[job_id].holds, Remedy("by hand", reason))
        for token, going in by_submission.items():
            ended = sum(
                _token(job_id) == token and progress.state in ENDED
                for job_id, progress in jobs.items()
            )
            there = [job_id for job_id in going if job_id in jobs]
            if len(going) + ended == len(self._ledger.jobs(token)):
                self._schedd.remove(self._ledger.cluster(token), reason)
            elif there:
                self._schedd.remove([self._ledger.name(job_id) for job_id in there], reason)
            for job_id in set(going) - set(there):  # HTCondor has not made them yet
                self._ledger.note(job_id, 0, Remedy("cancel", reason))

    def release(self, ids: Sequence[str], changes: Mapping[str, Any] | None = None) -> None:
        """Make held jobs idle again; `changes` are words of JobConfig: {"memory_gib": 4}."""
        given = changes or {}
        attributes = description.attributes(given)
        for job_id, status in self.status(ids).items():
            if status.state is not State.HELD:
                raise InputError(f"job {job_id} is {status.state}, not held")
        names = [self._ledger.name(job_id) for job_id in ids]
        self._schedd.edit(names, attributes)
        by_hand = Remedy("by hand", "", given.get("memory_gib"), given.get("disk_gib"))
        for job_id in ids:
            self._ledger.note(job_id, self._log.jobs[job_id].holds, by_hand)
        self._schedd.release(names, "released by rootflow")

    def name_of(self, job_id: str) -> str:
        """Return what HTCondor calls the job: cluster.proc."""
        self._require([job_id])
        return self._ledger.name(job_id)

    def advice(self, job_id: str) -> str:
        """Return what becomes of a held job, or what is to be done for it."""
        return self._care.advice(job_id)

    def logs(self, job_id: str) -> Logs:
        """Return what a job has said so far."""
        self._require([job_id])
        self._log.follow()
        return contract.logs_of(self._ledger.job(job_id), self._log.text(job_id))

    @property
    def shares_files(self) -> bool:
        """Whether the folders of jobs are where these work, rather than what comes back."""
        return self._profile.files == "shared"

    def told(self) -> dict[str, list[str]]:
        """Return the words that jobs in the queue have told by HTCondor's chirp."""
        attributes = ["ProcId", description.SUBMISSION, *chirp.ATTRIBUTES]
        ads = self._schedd.query(self._folder, attributes)
        return {
            f"{ad[description.SUBMISSION]}.{ad['ProcId']}": words
            for ad in ads
            if (words := chirp.told_in(ad)) and "ProcId" in ad
        }

    def result(self, job_id: str) -> Any:
        """Return the plain data that a finished job left, if any; one that failed is a JobError."""
        status = self.status([job_id])[job_id]
        return contract.result_of(self._ledger.job(job_id), status)

    def describe(self, jobs: Sequence[Job]) -> str:
        """Return the submit files that `submit` would hand over."""
        jobs = self._care.with_what_was_learnt(jobs)
        groups = [[jobs[number] for number in numbers] for numbers in _alike(jobs)]
        return "\n".join(self._text(group, "dry-run") for group in groups)

    # -- submitting

    def _submit(self, jobs: Sequence[Job]) -> tuple[str, int]:
        token = self._ledger.plan(jobs)
        try:
            text = self._text(jobs, token)
            credd.store(self._profile)
            cluster = self._schedd.submit(text, token, spool=self._profile.files == "spool")
        except RootflowError:
            # A schedd that was too busy to answer may have taken the jobs all the same.
            made = self._cluster_of(token)
            if made is None:
                self._ledger.withdraw(token)
                raise
            cluster = made
        self._ledger.confirm(token, cluster)
        return token, cluster

    def _cluster_of(self, token: str) -> int | None:
        """Return the cluster of a submission, in the queue or gone from it; None without one."""
        if isinstance(self._log, EventLog):  # else its jobs stay until they are fetched
            self._log.follow()
            if token in self._log.clusters:
                return self._log.clusters[token]
        return self._schedd.cluster_of(token)

    def _text(self, jobs: Sequence[Job], token: str) -> str:
        resources = jobs[0].resources or self._profile.job
        avoided = self._avoidance.machines()
        words = description.describe(resources, self._profile, self._folder, token, avoided)
        # Jobs that HTCondor makes later cannot be spooled.
        if len(jobs) > self._profile.limits.idle and self._profile.files != "spool":
            words["max_idle"] = str(self._profile.limits.idle)
        return description.as_text(words, jobs)

    def _settle_interrupted_submissions(self) -> None:
        """Forget submissions that were planned and not made; note those that were."""
        not_noted = [token for token, made in self._ledger.clusters().items() if made is None]
        for token in not_noted:
            if (cluster := self._cluster_of(token)) is not None:
                self._ledger.confirm(token, cluster)
            else:
                self._ledger.withdraw(token)

    # -- watching

    def _status(self, job_id: str) -> Status:
        if job_id in self._ended:
            return self._ended[job_id]
        progress = self._log.jobs.get(job_id, Progress())
        taken = self._ledger.taken(job_id)
        if taken and job_id not in self._log.jobs:
            return Status(State.REMOVED, reason=taken[0].decision.explanation)
        status: Status = replace(progress)
        if job_id in self._lost and status.state not in ENDED:
            lost = "it is no longer in the queue, and its event log does not say why"
            return replace(status, state=State.REMOVED, reason=lost)
        if status.state is State.IDLE:
            return replace(status, reason=self._matching.reason(job_id))
        if status.state is State.HELD:
            about_it = [each.decision for each in taken if each.hold == progress.holds]
            if about_it and about_it[-1].action == "give up":
                status = replace(status, given_up=True, reason=about_it[-1].explanation)
        if status.state in ENDED:
            status = self._ended[job_id] = self._explain(job_id, status, taken)
        return status

    def _explain(self, job_id: str, status: Status, taken: Sequence[Taken]) -> Status:
        """Return the status of a job that has ended, with what it says itself."""
        directory = self._ledger.job(job_id).directory
        contract.tidy(directory, status.state)
        status = contract.measured(status, directory)
        if status.state is State.FAILED and status.exit_code is not None:
            starts = status.starts if status.exit_code == GO_ON_LATER else None
            return replace(status, reason=contract.reason_of(directory, status.exit_code, starts))
        why = explanation(taken, "remove")
        if status.state is State.REMOVED and why is not None:
            return replace(status, state=State.FAILED, reason=why)
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
        self._lost = {job_id for token in gone for job_id in self._ids(token)}
        if isinstance(self._log, Queue):  # one by one: each stays until it is fetched
            there_once = {job_id for token in known for job_id in self._ids(token)}
            self._lost |= there_once - set(self._log.jobs)

    def _ids(self, token: str) -> list[str]:
        return [f"{token}.{number}" for number in range(len(self._ledger.jobs(token)))]

    def _require(self, ids: Sequence[str]) -> None:
        for job_id in ids:
            if not re.fullmatch(r"\w+\.\d+", job_id) or not self._ledger.has(job_id):
                raise InputError(f"{self._folder}: there is no job {job_id}")


def _token(job_id: str) -> str:
    return job_id.split(".")[0]


def _with_blame(status: Status, avoided: Mapping[str, str]) -> Status:
    """Return the status with what is known of the machine, where that is to blame for it."""
    why = avoided.get(status.host or "")
    if why is not None and status.state in (State.FAILED, State.HELD):
        blame = f"jobs avoid {status.host}: {why}"
        return replace(status, reason=f"{status.reason}; {blame}", machine_at_fault=True)
    return status


def _alike(jobs: Sequence[Job]) -> list[list[int]]:
    """Return the numbers of the jobs that one submission can hold: they need the same.

    Variables of the environment are in each job's own folder, not in the submission.
    """
    groups = defaultdict(list)
    for number, job in enumerate(jobs):
        need = job.resources and job.resources.model_dump_json(exclude={"environment"})
        groups[need].append(number)
    return list(groups.values())
