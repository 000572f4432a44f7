"""What HTCondor's event log says of jobs."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rootflow.batch.bindings import htcondor
from rootflow.batch.contract import State, Status
from rootflow.batch.job import GO_ON_LATER, SIGNALLED
from rootflow.batch.machines import MACHINE_MAY_BE_BAD, MachineRun

Event = Any  # htcondor2.JobEvent


@dataclasses.dataclass
class Progress:
    """A job as its events leave it."""

    state: State = State.IDLE
    exit_code: int | None = None
    host: str | None = None
    reason: str = ""
    starts: int = 0
    wall_seconds: float | None = None
    memory_mib: float | None = None
    hold_code: int = 0
    hold_subcode: int = 0
    holds: int = 0
    runs: list[MachineRun] = dataclasses.field(default_factory=list)

    def status(self) -> Status:
        """Return it as the contract says it."""
        return Status(
            self.state,
            self.exit_code,
            self.host,
            self.reason,
            self.starts,
            self.wall_seconds,
            self.memory_mib,
        )

    def end_run(self, when: float, *, well: bool | None) -> None:
        """Note how the job's last start ended; why it was evicted may be said after that."""
        if self.runs and self.runs[-1].well is None:
            ended = self.runs[-1].ended or when
            self.runs[-1] = self.runs[-1]._replace(ended=ended, well=well)


class EventLog:
    """Follows the log that all jobs of an executor write to.

    `jobs` holds the progress of every job in it, by submission and number in it.
    """

    def __init__(self, path: Path) -> None:
        path.touch()
        self.path = path
        self.jobs: dict[tuple[str, int], Progress] = {}
        self.clusters: dict[str, int] = {}
        self._submissions: dict[int, str] = {}
        self._log = htcondor().JobEventLog(str(path))

    def follow(self) -> None:
        """Read what has been written since the last time."""
        for event in self._log.events(stop_after=0):
            self._take(event)

    def text(self, submission: str, number: int) -> str:
        """Return all events of one job, as the log has them."""
        cluster = self.clusters.get(submission)
        log = htcondor().JobEventLog(str(self.path))
        with log:
            return "...\n".join(
                str(event)
                for event in log.events(stop_after=0)
                if (event.cluster, event.proc) == (cluster, number)
            )

    def _take(self, event: Event) -> None:
        name = event.type.name
        if name == "SUBMIT":
            submission = str(event.get("LogNotes", "")).strip()
            self._submissions[event.cluster] = submission
            self.clusters[submission] = event.cluster
            self.jobs[submission, event.proc] = Progress()
        # Events of a cluster as a whole, and of jobs that are not this executor's, are no news.
        elif event.cluster in self._submissions and name in CHANGES:
            progress = self.jobs.get((self._submissions[event.cluster], event.proc))
            if progress is not None:
                CHANGES[name](progress, event)


def _execute(progress: Progress, event: Event) -> None:
    progress.state = State.RUNNING
    progress.starts += 1
    progress.reason = ""
    progress.wall_seconds = progress.memory_mib = None
    slot = str(event.get("SlotName") or event.get("ExecuteHost", ""))
    progress.host = slot.rpartition("@")[2]
    progress.runs.append(MachineRun(progress.host, event.timestamp))


def _to_idle(progress: Progress, event: Event) -> None:
    progress.state = State.IDLE
    progress.reason = ""
    requeued = event.get("TerminatedAndRequeued", False)
    progress.end_run(event.timestamp, well=_ended_well(event) if requeued else None)


def _shadow_failed(progress: Progress, event: Event) -> None:
    progress.end_run(event.timestamp, well=False)
    _to_idle(progress, event)


def _reconnected(progress: Progress, event: Event) -> None:
    del event
    progress.state = State.RUNNING


def _held(progress: Progress, event: Event) -> None:
    progress.state = State.HELD
    progress.holds += 1
    progress.reason = _one_line(event.get("HoldReason", ""))
    progress.hold_code = int(event.get("HoldReasonCode", 0))
    progress.hold_subcode = int(event.get("HoldReasonSubCode", 0))
    failed = progress.hold_code in MACHINE_MAY_BE_BAD
    progress.end_run(event.timestamp, well=False if failed else None)


def _aborted(progress: Progress, event: Event) -> None:
    progress.state = State.REMOVED
    progress.reason = _one_line(event.get("Reason", ""))
    progress.end_run(event.timestamp, well=None)


def _terminated(progress: Progress, event: Event) -> None:
    progress.exit_code = _exit_code(event)
    progress.state = State.FAILED if progress.exit_code else State.DONE
    progress.end_run(event.timestamp, well=_ended_well(event))
    _measure(progress, event)


def _ended_well(event: Event) -> bool:
    return _exit_code(event) in (0, GO_ON_LATER)


def _exit_code(event: Event) -> int:
    if event.get("TerminatedNormally", False):
        return int(event["ReturnValue"])
    return SIGNALLED + int(event["TerminatedBySignal"])


def _measure(progress: Progress, event: Event) -> None:
    memory, seconds = event.get("MemoryUsage"), event.get("TimeExecuteUsage")
    if memory is not None:
        progress.memory_mib = float(memory)
    if seconds is not None:
        progress.wall_seconds = float(seconds)


def _one_line(text: Any) -> str:
    return " ".join(str(text).split())


CHANGES: dict[str, Callable[[Progress, Event], None]] = {
    "EXECUTE": _execute,
    "JOB_EVICTED": _to_idle,
    "SHADOW_EXCEPTION": _shadow_failed,
    "JOB_RECONNECT_FAILED": _to_idle,
    "JOB_RECONNECTED": _reconnected,
    "JOB_RELEASED": _to_idle,
    "JOB_HELD": _held,
    "JOB_ABORTED": _aborted,
    "JOB_TERMINATED": _terminated,
    "IMAGE_SIZE": _measure,
}
