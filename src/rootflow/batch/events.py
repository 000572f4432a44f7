"""What HTCondor's event log says of jobs."""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

from rootflow.batch.contract import State, Status
from rootflow.batch.job import GO_ON_LATER, SIGNALLED
from rootflow.batch.schedd import htcondor

Event = Any  # htcondor2.JobEvent
# Holds that a bad machine causes, among other things: the program does not start (6), outputs
# or inputs do not get through (12, 13), the job's folder (14) or container (35) is not there.
# https://htcondor.readthedocs.io, "Job ClassAd Attributes", HoldReasonCode
MACHINE_MAY_BE_BAD = {6, 12, 13, 14, 35}
OF_STATUS = [field.name for field in dataclasses.fields(Status)]


class MachineRun(NamedTuple):
    """One start of a job, in seconds since the epoch; `well` is None where that is not known."""

    machine: str
    started: float
    ended: float | None = None
    well: bool | None = None


@dataclasses.dataclass
class Progress(Status):
    """A job as its events leave it: its status, and what is decided by."""

    state: State = State.IDLE
    hold_code: int = 0
    hold_subcode: int = 0
    holds: int = 0
    runs: list[MachineRun] = dataclasses.field(default_factory=list)

    def status(self) -> Status:
        """Return it as the contract says it."""
        return Status(**{name: getattr(self, name) for name in OF_STATUS})

    def end_run(self, when: float, *, well: bool | None) -> None:
        """Note how the job's last start ended; why it was evicted may be said after that."""
        if self.runs and self.runs[-1].well is None:
            ended = self.runs[-1].ended or when
            self.runs[-1] = self.runs[-1]._replace(ended=ended, well=well)


class EventLog:
    """Follows the log that all jobs of an executor write to, for the progress of each by its id."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self.path = path
        self.jobs: dict[str, Progress] = {}
        self.clusters: dict[str, int] = {}
        self._submissions: dict[int, str] = {}
        self._log = htcondor().JobEventLog(str(path))

    def follow(self) -> None:
        """Read what has been written since the last time."""
        for event in self._log.events(stop_after=0):
            self._take(event)

    def text(self, job_id: str) -> str:
        """Return all events of one job, as the log has them."""
        with htcondor().JobEventLog(str(self.path)) as log:
            events = log.events(stop_after=0)
            return "...\n".join(str(event) for event in events if self._id(event) == job_id)

    def _take(self, event: Event) -> None:
        if event.type.name == "SUBMIT":
            submission = str(event.get("LogNotes", "")).strip()
            self._submissions[event.cluster] = submission
            self.clusters[submission] = event.cluster
            self.jobs[self._id(event)] = Progress()
        # Events of a cluster as a whole, and of jobs that are not this executor's, are no news.
        elif (progress := self.jobs.get(self._id(event))) is not None:
            _change(progress, event)

    def _id(self, event: Event) -> str:
        return f"{self._submissions.get(event.cluster)}.{event.proc}"


def _change(progress: Progress, event: Event) -> None:
    match event.type.name:
        case "EXECUTE":
            slot = str(event.get("SlotName") or event.get("ExecuteHost", ""))
            progress.state, progress.reason = State.RUNNING, ""
            progress.starts += 1
            progress.host = slot.rpartition("@")[2]
            progress.wall_seconds = progress.memory_mib = None
            progress.runs.append(MachineRun(progress.host, event.timestamp))
        case "JOB_EVICTED" | "JOB_RECONNECT_FAILED" | "JOB_RELEASED" | "SHADOW_EXCEPTION" as name:
            well = False if name == "SHADOW_EXCEPTION" else None
            if event.get("TerminatedAndRequeued", False):
                well = _ended_well(event)
            progress.state, progress.reason = State.IDLE, ""
            progress.end_run(event.timestamp, well=well)
        case "JOB_RECONNECTED":
            progress.state = State.RUNNING
        case "JOB_HELD":
            progress.state, progress.reason = State.HELD, one_line(event.get("HoldReason", ""))
            progress.holds += 1
            progress.hold_code = int(event.get("HoldReasonCode", 0))
            progress.hold_subcode = int(event.get("HoldReasonSubCode", 0))
            failed = progress.hold_code in MACHINE_MAY_BE_BAD
            progress.end_run(event.timestamp, well=False if failed else None)
        case "JOB_ABORTED":
            progress.state, progress.reason = State.REMOVED, one_line(event.get("Reason", ""))
            progress.end_run(event.timestamp, well=None)
        case "JOB_TERMINATED":
            progress.exit_code = _exit_code(event)
            progress.state = State.FAILED if progress.exit_code else State.DONE
            progress.end_run(event.timestamp, well=_ended_well(event))
            _measure(progress, event)
        case "IMAGE_SIZE":
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


def one_line(text: Any) -> str:
    """Return a reason without line ends."""
    return " ".join(str(text).split())
