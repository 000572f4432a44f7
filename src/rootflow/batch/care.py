"""Looking after the jobs that HTCondor holds or starts again and again: release or give up."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rootflow.batch.contract import ENDED, Job, State
from rootflow.batch.description import attributes
from rootflow.batch.events import MACHINE_MAY_BE_BAD, EventLog, Progress
from rootflow.batch.folder import resources_of
from rootflow.batch.ledger import JobLedger, Remedy, Taken
from rootflow.batch.queue import Queue
from rootflow.batch.schedd import Schedd
from rootflow.config.batch import JobConfig, LimitsConfig, ProfileConfig
from rootflow.errors import InputError

# https://htcondor.readthedocs.io, "Job ClassAd Attributes", HoldReasonCode
BY_USER = {1, 15, 16}  # condor_hold, submitted on hold, its inputs are being spooled
BY_POLICY = {3, 21, 26}  # the job's, the node's, the schedd's: the reason says what for
OUT_OF_RESOURCES = 34
OUT_OF_TIME = {46, 47}
TIME = re.compile(r"wall|run ?time|duration|time limit", re.IGNORECASE)
MIB = 1024
MARGIN = 1.2  # of the memory asked for, over the most that was seen


class Resource(NamedTuple):
    """What a job can have too little of: its word, the subcode of 21 and 34, what reasons say."""

    word: str
    subcode: int
    pattern: re.Pattern[str]


RESOURCES = (
    Resource("memory_gib", 102, re.compile(r"memory", re.IGNORECASE)),
    Resource("disk_gib", 104, re.compile(r"disk", re.IGNORECASE)),
)

ADVICE = {
    4: "the credential is damaged: renew it (kinit, or voms-proxy-init), then release the job",
    6: "the program could not be started on the node: is `python` of the profile there?",
    7: "the job's log files cannot be written: is the folder seen by the schedd, and not full?",
    12: "outputs could not be brought back: is there room, and did the job leave every output?",
    13: "inputs could not be brought to the node: are they still there, and readable?",
    14: "the job's folder is not there on the node: use a profile with files: transfer",
    22: "the event log cannot be written: is the executor's folder seen by the schedd?",
    32: "inputs are larger than the site allows: put them where nodes see them",
    33: "outputs are larger than the site allows: name fewer, or an output_destination",
    34: "the job used more than it asked for: ask for more cpus",
    35: "the container image cannot be used: does job.container exist where nodes see it?",
}
CREDENTIAL = re.compile(r"credential|kerberos|proxy|token|permission|AFS", re.IGNORECASE)
CREDENTIAL_ADVICE = "renew your credential (kinit, or voms-proxy-init), then release the job"
OTHERWISE = "mend what it says, then release the job, or remove it"


@dataclass
class Care:
    """Does for jobs what is due, and remembers it in the ledger."""

    _ledger: JobLedger
    _schedd: Schedd
    _log: EventLog | Queue
    _limits: LimitsConfig

    def in_need(self) -> list[str]:
        """Return the jobs that are held, start too often, or were cancelled before they came."""
        jobs = self._log.jobs
        need = [
            job_id
            for job_id, progress in jobs.items()
            if progress.state is State.HELD or self._starts_too_often(progress)
        ]
        need += [
            job_id
            for job_id, taken in self._ledger.decisions().items()
            if explanation(taken, "cancel") is not None
            if job_id in jobs and jobs[job_id].state not in ENDED
        ]
        return [job_id for job_id in need if self._ledger.has(job_id)]

    def look_after(self, job_id: str, avoided: Collection[str]) -> None:
        """Do what is due for one of the jobs in need; `avoided` are the machines at fault."""
        progress = self._log.jobs[job_id]
        taken = self._ledger.taken(job_id)
        name = self._ledger.name(job_id)
        if (cancelled := explanation(taken, "cancel")) is not None:
            self._schedd.remove([name], cancelled)
        elif progress.state is State.HELD:
            decided = [each.decision.action for each in taken if each.hold == progress.holds]
            if _machine_is_to_blame(progress, avoided) and decided[-1:] in ([], ["give up"]):
                self._release(job_id, progress, Remedy("release", "its machine is avoided now"))
            elif not decided:
                self._help(job_id, progress)
        else:
            why = f"given up after {progress.starts} starts (limits.starts)"
            if explanation(taken, "remove") is None:
                self._ledger.note(job_id, progress.holds, Remedy("remove", why))
            self._schedd.remove([name], why)

    def with_what_was_learnt(self, jobs: Sequence[Job], profile: ProfileConfig) -> list[Job]:
        """Return jobs that say what they need: more where jobs that asked for the same did."""
        learnt = {resource.word: self._learnt(resource.word) for resource in RESOURCES}
        found = []
        for job in jobs:
            asked = resources_of(job, profile)
            changes = {word: getattr(asked, word) for word in learnt}
            for word, more in learnt.items():
                while changes[word] in more:
                    changes[word] = more[changes[word]]
            found.append(replace(job, resources=asked.model_copy(update=changes)))
        return found

    def _learnt(self, word: str) -> dict[float, float]:
        """Return what jobs turned out to need, by what they had asked for, in GiB."""
        learnt: dict[float, float] = {}
        for job_id, taken in self._ledger.decisions().items():
            asked = getattr(_asked(self._ledger.job(job_id)), word)
            for each in taken:
                more = each.decision.changes().get(word, asked)
                if each.decision.action == "release" and more > asked:
                    learnt[asked] = max(more, learnt.get(asked, 0.0))
                asked = more
        return learnt

    def _starts_too_often(self, progress: Progress) -> bool:
        return progress.state is State.IDLE and progress.starts >= self._limits.starts

    def _help(self, job_id: str, progress: Progress) -> None:
        asked = _asked(self._ledger.job(job_id))
        for each in self._ledger.taken(job_id):
            asked = asked.model_copy(update=each.decision.changes())
        decision = decide(progress, asked, self._limits)
        if decision.action == "release":
            self._release(job_id, progress, decision)
        elif decision.action == "give up":
            self._ledger.note(job_id, progress.holds, decision)

    def _release(self, job_id: str, progress: Progress, decision: Remedy) -> None:
        name = self._ledger.name(job_id)
        self._schedd.edit([name], attributes(decision.changes()))
        self._schedd.release([name], decision.explanation)
        self._ledger.note(job_id, progress.holds, decision)


def explanation(taken: Sequence[Taken], action: str) -> str | None:
    """Return why an action was first decided on, None where it was not."""
    decided = (each.decision for each in taken)
    return next((each.explanation for each in decided if each.action == action), None)


def _machine_is_to_blame(progress: Progress, avoided: Collection[str]) -> bool:
    return progress.host in avoided and progress.hold_code in MACHINE_MAY_BE_BAD


def _asked(job: Job) -> JobConfig:
    if job.resources is None:
        raise InputError(f"job {job.name}: its record does not say what it needs")
    return job.resources


def decide(progress: Progress, asked: JobConfig, limits: LimitsConfig) -> Remedy:
    """Return what to do with a held job that asked for what `asked` says."""
    code, subcode, reason = progress.hold_code, progress.hold_subcode, progress.reason
    if code in BY_USER:
        return Remedy("leave")
    if progress.starts >= limits.starts:
        return _give_up(reason, f"it has started {progress.starts} times (limits.starts)")
    by_policy = code in BY_POLICY
    for resource in RESOURCES:
        too_little = subcode == resource.subcode and code in (*BY_POLICY, OUT_OF_RESOURCES)
        if too_little or (by_policy and resource.pattern.search(reason)):
            return _more(resource, progress, asked, limits)
    if code in OUT_OF_TIME or (by_policy and TIME.search(reason)):
        return Remedy("release", "out of run time: goes on from its checkpoint")
    if CREDENTIAL.search(reason):
        return _give_up(reason, CREDENTIAL_ADVICE)
    return _give_up(reason, ADVICE.get(code, OTHERWISE))


def _more(resource: Resource, progress: Progress, asked: JobConfig, limits: LimitsConfig) -> Remedy:
    word, name = resource.word, resource.word.removesuffix("_gib")
    had, most = getattr(asked, word), getattr(limits, word)
    if had >= most:
        return _give_up(
            progress.reason, f"{had:g} GiB were not enough, and limits.{word} allows no more"
        )
    wanted = had * getattr(limits, f"{name}_factor")
    if word == "memory_gib":
        wanted = max(wanted, (progress.memory_mib or 0.0) / MIB * MARGIN)
    more = round(min(wanted, most), 3)
    return Remedy("release", f"out of {name}: asks for {more:g} GiB", **{word: more})


def _give_up(reason: str, advice: str) -> Remedy:
    return Remedy("give up", f"{reason}: {advice}" if reason else advice)
