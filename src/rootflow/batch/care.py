"""What an HTCondor executor remembers of its jobs, and how it looks after those in need."""

import re
import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from rootflow.batch.contract import ENDED, Job, State, as_text, from_text
from rootflow.batch.description import attributes
from rootflow.batch.progress import MACHINE_MAY_BE_BAD, EventLog, Progress, Queue
from rootflow.batch.schedd import Schedd
from rootflow.config.batch import JobConfig, LimitsConfig, ProfileConfig
from rootflow.files import whole_file


@dataclass(frozen=True)
class Remedy:
    """What to do: leave, release or give up; the rest is what to ask for from now on, in GiB."""

    action: str
    explanation: str = ""
    memory_gib: float | None = None
    disk_gib: float | None = None

    def changes(self) -> dict[str, float]:
        """Return the words of JobConfig that change."""
        asked = {"memory_gib": self.memory_gib, "disk_gib": self.disk_gib}
        return {word: gib for word, gib in asked.items() if gib is not None}


@dataclass(frozen=True)
class Taken:
    """A decision about the n-th hold of a job."""

    job_id: str
    hold: int
    decision: Remedy


_TAKEN = TypeAdapter(Taken)


class JobLedger:
    """Submissions, written before the jobs are handed over, and decisions about held jobs.

    A submission's name, its token, is made here and travels with its jobs, so a submission that
    was cut off in the middle is told from one that happened. A job's id is TOKEN.NUMBER.
    """

    def __init__(self, folder: Path) -> None:
        self._submissions = folder / "submissions"
        self._decisions = folder / "decisions.jsonl"
        self._submissions.mkdir(parents=True, exist_ok=True)
        self._jobs: dict[str, list[Job]] = {}
        self._taken: dict[str, list[Taken]] = {}
        self._read_size = 0

    def plan(self, jobs: Sequence[Job]) -> str:
        """Keep the jobs of a submission to be made, and return its name."""
        token = uuid.uuid4().hex[:12]
        with whole_file(self._submissions / f"{token}.jsonl") as partial:
            partial.write_text("".join(f"{as_text(job)}\n" for job in jobs))
        return token

    def confirm(self, token: str, cluster: int) -> None:
        """Note that the submission was made."""
        with whole_file(self._submissions / f"{token}.cluster") as partial:
            partial.write_text(str(cluster))

    def withdraw(self, token: str) -> None:
        """Forget a submission that was not made."""
        (self._submissions / f"{token}.jsonl").unlink()

    def clusters(self) -> dict[str, int | None]:
        """Return the cluster of each submission in the order of time, None where not noted."""
        planned = sorted(self._submissions.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
        noted = {path.stem: path.with_suffix(".cluster") for path in planned}
        return {
            token: int(path.read_text()) if path.exists() else None for token, path in noted.items()
        }

    def jobs(self, token: str) -> list[Job]:
        """Return the jobs of a submission."""
        if token not in self._jobs:
            lines = (self._submissions / f"{token}.jsonl").read_text().splitlines()
            self._jobs[token] = [from_text(line) for line in lines]
        return self._jobs[token]

    def job(self, job_id: str) -> Job:
        """Return one job of a submission, with what it was submitted to need."""
        token, number = job_id.split(".")
        return self.jobs(token)[int(number)]

    def cluster(self, token: str) -> int:
        """Return the cluster of a submission that was made."""
        return int((self._submissions / f"{token}.cluster").read_text())

    def name(self, job_id: str) -> str:
        """Return what HTCondor calls a job."""
        token, number = job_id.split(".")
        return f"{self.cluster(token)}.{number}"

    def taken(self, job_id: str) -> list[Taken]:
        """Return the decisions about one job in the order of time."""
        return self.decisions().get(job_id, [])

    def has(self, job_id: str) -> bool:
        """Return whether the job's submission is one of these."""
        token = job_id.split(".")[0]
        return token in self._jobs or (self._submissions / f"{token}.jsonl").exists()

    def note(self, job_id: str, hold: int, decision: Remedy) -> None:
        """Keep a decision about the n-th hold of a job."""
        with self._decisions.open("a") as stream:
            stream.write(_TAKEN.dump_json(Taken(job_id, hold, decision)).decode() + "\n")

    def decisions(self) -> dict[str, list[Taken]]:
        """Return all decisions by job, those of each in the order of time."""
        size = self._decisions.stat().st_size if self._decisions.exists() else 0
        if size != self._read_size:
            self._taken = defaultdict(list)
            for line in self._decisions.read_text().splitlines():
                taken = _TAKEN.validate_json(line)
                self._taken[taken.job_id].append(taken)
            self._read_size = size
        return self._taken


# https://htcondor.readthedocs.io, "Job ClassAd Attributes", HoldReasonCode
BY_USER = {1, 15, 16}  # condor_hold, submitted on hold, its inputs are being spooled
BY_POLICY = {3, 21, 26}  # the job's, the node's, the schedd's: the reason says what for
OUT_OF_RESOURCES, OUT_OF_TIME = 34, {46, 47}
# What a job can have too little of: the subcode of 21 and 34.
RESOURCES = {"memory": 102, "disk": 104}
TIME = re.compile(r"wall|run ?time|duration|time limit", re.IGNORECASE)
MIB = 1024
MARGIN = 1.2  # of the memory asked for, over the most that was seen

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
    _profile: ProfileConfig

    def in_need(self) -> list[str]:
        """Return the jobs that are held, start too often, or were cancelled before they came."""
        decisions, most_starts = self._ledger.decisions(), self._profile.limits.starts
        return [
            job_id
            for job_id, progress in self._log.jobs.items()
            if progress.state is State.HELD
            or (progress.state is State.IDLE and progress.starts >= most_starts)
            or (
                progress.state not in ENDED
                and explanation(decisions.get(job_id, ()), "cancel") is not None
            )
            if self._ledger.has(job_id)
        ]

    def look_after(self, job_id: str, avoided: Collection[str]) -> None:
        """Do what is due for one of the jobs in need; `avoided` are the machines at fault."""
        progress = self._log.jobs[job_id]
        taken = self._ledger.taken(job_id)
        name = self._ledger.name(job_id)
        if (cancelled := explanation(taken, "cancel")) is not None:
            self._schedd.remove([name], cancelled)
        elif progress.state is State.HELD:
            decided = [each.decision.action for each in taken if each.hold == progress.holds]
            blamed = progress.host in avoided and progress.hold_code in MACHINE_MAY_BE_BAD
            if blamed and decided[-1:] in ([], ["give up"]):
                self._release(job_id, progress, Remedy("release", "its machine is avoided now"))
            elif not decided:
                self._help(job_id, progress)
        else:
            why = f"given up after {progress.starts} starts (limits.starts)"
            if explanation(taken, "remove") is None:
                self._ledger.note(job_id, progress.holds, Remedy("remove", why))
            self._schedd.remove([name], why)

    def with_what_was_learnt(self, jobs: Sequence[Job]) -> list[Job]:
        """Return jobs that say what they need: more where jobs that asked for the same did."""
        learnt = {f"{name}_gib": self._learnt(f"{name}_gib") for name in RESOURCES}

        def needed(asked: JobConfig) -> JobConfig:
            changes = {word: getattr(asked, word) for word in learnt}
            for word, more in learnt.items():
                while changes[word] in more:
                    changes[word] = more[changes[word]]
            return asked.model_copy(update=changes)

        return [replace(job, resources=needed(self._asked(job))) for job in jobs]

    def advice(self, job_id: str) -> str:
        """Return what becomes of a held job, or what the user is to do for it."""
        decision = decide(self._log.jobs[job_id], self._needs_now(job_id), self._profile.limits)
        if decision.action == "leave":
            return f"held by hand: condor_release {self._ledger.name(job_id)}"
        reason = f"{self._log.jobs[job_id].reason}: "
        return decision.explanation.removeprefix(reason)

    def _learnt(self, word: str) -> dict[float, float]:
        """Return what jobs turned out to need, by what they had asked for, in GiB."""
        learnt: dict[float, float] = {}
        for job_id, taken in self._ledger.decisions().items():
            asked = getattr(self._asked(self._ledger.job(job_id)), word)
            for each in taken:
                more = each.decision.changes().get(word, asked)
                if each.decision.action == "release" and more > asked:
                    learnt[asked] = max(more, learnt.get(asked, 0.0))
                asked = more
        return learnt

    def _asked(self, job: Job) -> JobConfig:
        return job.resources or self._profile.job

    def _needs_now(self, job_id: str) -> JobConfig:
        """Return what a job asks for by now."""
        asked = self._asked(self._ledger.job(job_id))
        for each in self._ledger.taken(job_id):
            asked = asked.model_copy(update=each.decision.changes())
        return asked

    def _help(self, job_id: str, progress: Progress) -> None:
        decision = decide(progress, self._needs_now(job_id), self._profile.limits)
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


def decide(progress: Progress, asked: JobConfig, limits: LimitsConfig) -> Remedy:
    """Return what to do with a held job that asked for what `asked` says."""
    code, subcode, reason = progress.hold_code, progress.hold_subcode, progress.reason
    if code in BY_USER:
        return Remedy("leave")
    if progress.starts >= limits.starts:
        return _give_up(reason, f"it has started {progress.starts} times (limits.starts)")
    by_policy = code in BY_POLICY
    for name, of_resource in RESOURCES.items():
        too_little = subcode == of_resource and code in (*BY_POLICY, OUT_OF_RESOURCES)
        if too_little or (by_policy and name in reason.lower()):
            return _more(name, progress, asked, limits)
    if code in OUT_OF_TIME or (by_policy and TIME.search(reason)):
        return Remedy("release", "out of run time: goes on from its checkpoint")
    if CREDENTIAL.search(reason):
        return _give_up(reason, CREDENTIAL_ADVICE)
    return _give_up(reason, ADVICE.get(code, OTHERWISE))


def _more(name: str, progress: Progress, asked: JobConfig, limits: LimitsConfig) -> Remedy:
    word = f"{name}_gib"
    had, most = getattr(asked, word), getattr(limits, word)
    if had >= most:
        return _give_up(
            progress.reason, f"{had:g} GiB were not enough, and limits.{word} allows no more"
        )
    wanted = had * getattr(limits, f"{name}_factor")
    if name == "memory":
        wanted = max(wanted, (progress.memory_mib or 0.0) / MIB * MARGIN)
    more = round(min(wanted, most), 3)
    return Remedy("release", f"out of {name}: asks for {more:g} GiB", **{word: more})


def _give_up(reason: str, advice: str) -> Remedy:
    return Remedy("give up", f"{reason}: {advice}" if reason else advice)
