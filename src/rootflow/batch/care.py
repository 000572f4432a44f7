"""Looking after the jobs of an HTCondor executor: release, give up, remove."""

from rootflow.batch.contract import ENDED, Job, State
from rootflow.batch.description import attributes
from rootflow.batch.events import EventLog, Progress
from rootflow.batch.ledger import Key, Ledger, Taken, id_of, key_of
from rootflow.batch.queue import Queue
from rootflow.batch.schedd import Schedd
from rootflow.batch.triage import Decision, decide
from rootflow.config.batch import LimitsConfig
from rootflow.errors import InputError


class Care:
    """Does for jobs what is due, and remembers it in the ledger."""

    def __init__(
        self, ledger: Ledger, schedd: Schedd, log: EventLog | Queue, limits: LimitsConfig
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

    def look_after(self, key: Key) -> None:
        """Do what is due for one of the jobs in need."""
        progress = self._log.jobs[key]
        taken = self._ledger.taken(key)
        name = self._ledger.name(key)
        cancelled = [each for each in taken if each.decision.action == "cancel"]
        if cancelled:
            self._schedd.remove([name], cancelled[0].decision.explanation)
        elif progress.state is State.HELD:
            if not any(each.hold == progress.holds for each in taken):
                self._help(key, progress)
        else:
            why = f"given up after {progress.starts} starts (limits.starts)"
            if not any(each.decision.action == "remove" for each in taken):
                self._ledger.note(Taken(id_of(key), progress.holds, Decision("remove", why)))
            self._schedd.remove([name], why)

    def learnt_memory(self) -> dict[float, float]:
        """Return what jobs turned out to need, by what they had asked for, in GiB."""
        learnt: dict[float, float] = {}
        for job_id, taken in self._ledger.decisions().items():
            asked = _asked(self._ledger.job(key_of(job_id)))
            for _, _, decision in taken:
                if decision.memory_gib is not None:
                    if decision.action == "release" and decision.memory_gib > asked:
                        learnt[asked] = max(decision.memory_gib, learnt.get(asked, 0.0))
                    asked = decision.memory_gib
        return learnt

    def _starts_too_often(self, progress: Progress) -> bool:
        return progress.state is State.IDLE and progress.starts >= self._limits.starts

    def _help(self, key: Key, progress: Progress) -> None:
        asked = _asked(self._ledger.job(key))
        for each in self._ledger.taken(key):
            asked = each.decision.memory_gib or asked
        decision = decide(progress, asked, self._limits)
        name = self._ledger.name(key)
        if decision.action == "release":
            if decision.memory_gib is not None:
                self._schedd.edit([name], attributes({"memory_gib": decision.memory_gib}))
            self._schedd.release([name], decision.explanation)
        if decision.action != "leave":
            self._ledger.note(Taken(id_of(key), progress.holds, decision))


def _asked(job: Job) -> float:
    if job.resources is None:
        raise InputError(f"job {job.name}: its record does not say what it needs")
    return job.resources.memory_gib
