"""Looking after the jobs of an HTCondor executor: release, give up, remove."""

from collections.abc import Collection

from rootflow.batch.contract import ENDED, Job, State
from rootflow.batch.description import attributes
from rootflow.batch.events import EventLog, Progress
from rootflow.batch.ledger import JobLedger, Key, Taken, id_of, key_of
from rootflow.batch.machines import MACHINE_MAY_BE_BAD
from rootflow.batch.queue import Queue
from rootflow.batch.schedd import Schedd
from rootflow.batch.triage import RESOURCES, Remedy, decide
from rootflow.config.batch import JobConfig, LimitsConfig
from rootflow.errors import InputError


class Care:
    """Does for jobs what is due, and remembers it in the ledger."""

    def __init__(
        self, ledger: JobLedger, schedd: Schedd, log: EventLog | Queue, limits: LimitsConfig
    ) -> None:
        self._ledger = ledger
        self._schedd = schedd
        self._log = log
        self._limits = limits

    def in_need(self) -> list[Key]:
        """Return the jobs that are held, start too often, or were cancelled before they came."""
        jobs = self._log.jobs
        need = [
            key
            for key, progress in jobs.items()
            if progress.state is State.HELD or self._starts_too_often(progress)
        ]
        for job_id, taken in self._ledger.decisions().items():
            key = key_of(job_id)
            late = key in jobs and jobs[key].state not in ENDED
            if late and any(each.decision.action == "cancel" for each in taken):
                need.append(key)
        return [key for key in need if self._ledger.has(key[0])]

    def look_after(self, key: Key, avoided: Collection[str]) -> None:
        """Do what is due for one of the jobs in need; `avoided` are the machines at fault."""
        progress = self._log.jobs[key]
        taken = self._ledger.taken(key)
        name = self._ledger.name(key)
        cancelled = [each for each in taken if each.decision.action == "cancel"]
        if cancelled:
            self._schedd.remove([name], cancelled[0].decision.explanation)
        elif progress.state is State.HELD:
            decided = [each.decision.action for each in taken if each.hold == progress.holds]
            if _machine_is_to_blame(progress, avoided) and decided[-1:] in ([], ["give up"]):
                self._release(key, progress, Remedy("release", "its machine is avoided now"))
            elif not decided:
                self._help(key, progress)
        else:
            why = f"given up after {progress.starts} starts (limits.starts)"
            if not any(each.decision.action == "remove" for each in taken):
                self._ledger.note(Taken(id_of(key), progress.holds, Remedy("remove", why)))
            self._schedd.remove([name], why)

    def with_what_was_learnt(self, asked: JobConfig) -> JobConfig:
        """Return what to ask for where jobs that asked for `asked` turned out to need more."""
        changes = {}
        for resource in RESOURCES:
            learnt = self._learnt(resource.word)
            gib = getattr(asked, resource.word)
            while gib in learnt:
                gib = learnt[gib]
            changes[resource.word] = gib
        return asked.model_copy(update=changes)

    def _learnt(self, word: str) -> dict[float, float]:
        """Return what jobs turned out to need, by what they had asked for, in GiB."""
        learnt: dict[float, float] = {}
        for job_id, taken in self._ledger.decisions().items():
            asked = getattr(_asked(self._ledger.job(key_of(job_id))), word)
            for _, _, decision in taken:
                more = decision.changes().get(word)
                if more is not None:
                    if decision.action == "release" and more > asked:
                        learnt[asked] = max(more, learnt.get(asked, 0.0))
                    asked = more
        return learnt

    def _starts_too_often(self, progress: Progress) -> bool:
        return progress.state is State.IDLE and progress.starts >= self._limits.starts

    def _help(self, key: Key, progress: Progress) -> None:
        asked = _asked(self._ledger.job(key))
        for each in self._ledger.taken(key):
            asked = asked.model_copy(update=each.decision.changes())
        decision = decide(progress, asked, self._limits)
        if decision.action == "release":
            self._release(key, progress, decision)
        elif decision.action == "give up":
            self._ledger.note(Taken(id_of(key), progress.holds, decision))

    def _release(self, key: Key, progress: Progress, decision: Remedy) -> None:
        name = self._ledger.name(key)
        self._schedd.edit([name], attributes(decision.changes()))
        self._schedd.release([name], decision.explanation)
        self._ledger.note(Taken(id_of(key), progress.holds, decision))


def _machine_is_to_blame(progress: Progress, avoided: Collection[str]) -> bool:
    return progress.host in avoided and progress.hold_code in MACHINE_MAY_BE_BAD


def _asked(job: Job) -> JobConfig:
    if job.resources is None:
        raise InputError(f"job {job.name}: its record does not say what it needs")
    return job.resources
