"""Where jobs are, by HTCondor's event log, or by the queue of a schedd that keeps the log."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from rootflow.batch.contract import ENDED, State, Status, read
from rootflow.batch.description import SUBMISSION
from rootflow.batch.job import GO_ON_LATER, SIGNALLED
from rootflow.batch.schedd import Schedd, htcondor

Event = Any  # htcondor2.JobEvent
# Holds that a bad machine causes, among other things: the program does not start (6), outputs
# or inputs do not get through (12, 13), the job's folder (14) or container (35) is not there.
# https://htcondor.readthedocs.io, "Job ClassAd Attributes", HoldReasonCode
MACHINE_MAY_BE_BAD = {6, 12, 13, 14, 35}


class MachineRun(NamedTuple):
    """One start of a job, in seconds since the epoch; `well` is None where that is not known."""

    machine: str
    started: float
    ended: float | None = None
    well: bool | None = None


@dataclasses.dataclass
class Progress(Status):
    """The status of a job as its events leave it, and what is decided by."""

    state: State = State.IDLE
    hold_code: int = 0
    hold_subcode: int = 0
    holds: int = 0
    runs: list[MachineRun] = dataclasses.field(default_factory=list)

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
            # In the place of LogNotes the schedd writes the batch's name, where there is one.
            submission = str(event.get("UserNotes") or event.get("LogNotes", "")).strip()
            self._submissions[event.cluster] = submission
            self.clusters[submission] = event.cluster
            self.jobs[self._id(event)] = Progress(since=float(event.timestamp))
        # Events of a cluster as a whole, and of jobs that are not this executor's, are no news.
        elif (progress := self.jobs.get(self._id(event))) is not None:
            before = progress.state
            change(progress, event)
            if progress.state is not before:
                progress.since = float(event.timestamp)

    def _id(self, event: Event) -> str:
        return f"{self._submissions.get(event.cluster)}.{event.proc}"


def change(progress: Progress, event: Event) -> None:
    """Have the progress of a job be what an event of it says."""
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


SECONDS_BETWEEN_QUERIES = 1.0
RUNNING, REMOVED, COMPLETED = 2, 3, 4
# https://htcondor.readthedocs.io, "Job ClassAd Attributes", JobStatus; what is missing runs
STATES = {1: State.IDLE, REMOVED: State.REMOVED, 5: State.HELD}
ATTRIBUTES = (
    f"ClusterId ProcId {SUBMISSION} JobStatus ExitBySignal ExitCode ExitSignal HoldReason "
    "HoldReasonCode HoldReasonSubCode RemoveReason NumHolds NumJobStarts LastRemoteHost "
    "RemoteHost JobCurrentStartDate EnteredCurrentStatus ResidentSetSize"
).split()
FETCHED = "its files were fetched"
_ENDED = TypeAdapter(tuple[str, int, Progress])


class Queue:
    """Follows the jobs of an executor by asking the schedd; the counterpart of EventLog.

    A job that has ended stays in the queue until its files are fetched here; how it ended is
    written down before it is let go.
    """

    def __init__(self, folder: Path, schedd: Schedd) -> None:
        self._folder = folder
        self._schedd = schedd
        self._ended = folder / "ended.jsonl"
        self._next_query = 0.0
        self.jobs: dict[str, Progress] = {}
        self.clusters: dict[str, int] = {}
        self._read_ended()

    def follow(self) -> None:
        """Ask the schedd, unless that was done a moment ago."""
        if time.monotonic() < self._next_query:
            return
        seen = set()
        for ad in self._schedd.query(self._folder, ATTRIBUTES):
            token = str(ad[SUBMISSION])
            self.clusters[token] = int(ad["ClusterId"])
            if int(ad.get("ProcId", -1)) >= 0:
                job_id = f"{token}.{ad['ProcId']}"
                seen.add(job_id)
                if job_id not in self.jobs or self.jobs[job_id].state not in ENDED:
                    self._take(job_id, ad)
                elif int(ad["JobStatus"]) == COMPLETED:  # cut off before it was let go
                    self._schedd.remove([f"{ad['ClusterId']}.{ad['ProcId']}"], FETCHED)
        self._read_ended()  # another process may have fetched them
        for job_id, progress in self.jobs.items():
            if job_id not in seen and progress.state not in ENDED:
                self._find_gone(job_id)
        self._next_query = time.monotonic() + SECONDS_BETWEEN_QUERIES

    def text(self, job_id: str) -> str:
        """Return what is known of one job; its events are the schedd's own."""
        progress = self.jobs.get(job_id, Progress())
        return "".join(f"{k} = {v}\n" for k, v in dataclasses.asdict(progress).items())

    def _take(self, job_id: str, ad: Any) -> None:
        code = int(ad["JobStatus"])
        before = self.jobs.get(job_id, Progress()).runs
        progress = self.jobs[job_id] = progress_of(ad)
        progress.runs = _continued(before, progress.runs)
        if code == COMPLETED:
            name = f"{ad['ClusterId']}.{ad['ProcId']}"
            self._schedd.retrieve([name])
            self._keep(job_id)
            self._schedd.remove([name], FETCHED)
        elif code == REMOVED:
            self._keep(job_id)

    def _find_gone(self, job_id: str) -> None:
        """Look up a job that left the queue without having been fetched."""
        token, number = job_id.split(".")
        constraint = f"ClusterId == {self.clusters[token]} && ProcId == {number}"
        for ad in self._schedd.history(constraint, ATTRIBUTES):
            self.jobs[job_id] = progress_of(ad)
        if self.jobs[job_id].state not in ENDED:
            self.jobs[job_id].state = State.REMOVED
        self._keep(job_id)

    def _read_ended(self) -> None:
        for line in read(self._ended).splitlines():
            token, number, progress = _ENDED.validate_json(line)
            self.jobs[f"{token}.{number}"] = progress

    def _keep(self, job_id: str) -> None:
        token, number = job_id.split(".")
        line = _ENDED.dump_json((token, int(number), self.jobs[job_id])).decode()
        with self._ended.open("a") as stream:
            stream.write(f"{line}\n")


def _continued(before: Sequence[MachineRun], now: Sequence[MachineRun]) -> list[MachineRun]:
    """Return all starts that were seen; the schedd tells of the last one only."""
    if not before or not now or now[0].started > before[-1].started:
        return [*before, *now]
    return list(before) if before[-1].well is not None else [*before[:-1], *now]


def progress_of(ad: Any) -> Progress:
    """Return where a job is by its ad."""
    code = int(ad["JobStatus"])
    progress = Progress(
        state=STATES.get(code, State.RUNNING),
        starts=int(ad.get("NumJobStarts", 0)),
        holds=int(ad.get("NumHolds", 0)),
        since=float(ad["EnteredCurrentStatus"]) if "EnteredCurrentStatus" in ad else None,
    )
    host = str(ad.get("RemoteHost") or ad.get("LastRemoteHost") or "")
    progress.host = host.rpartition("@")[2] or None
    if "ResidentSetSize" in ad:
        progress.memory_mib = float(ad["ResidentSetSize"]) / 1024
    if code == COMPLETED:
        by_signal = bool(ad.get("ExitBySignal", False))
        progress.exit_code = SIGNALLED + int(ad["ExitSignal"]) if by_signal else int(ad["ExitCode"])
        progress.state = State.FAILED if progress.exit_code else State.DONE
    elif progress.state is State.HELD:
        progress.reason = one_line(ad.get("HoldReason", ""))
        progress.hold_code = int(ad.get("HoldReasonCode", 0))
        progress.hold_subcode = int(ad.get("HoldReasonSubCode", 0))
    elif code == REMOVED:
        progress.reason = str(ad.get("RemoveReason", ""))
    if progress.host is not None and "JobCurrentStartDate" in ad:
        progress.runs = [MachineRun(progress.host, float(ad["JobCurrentStartDate"]))]
        if code != RUNNING:
            well = progress.exit_code == 0 if code == COMPLETED else None
            if progress.hold_code in MACHINE_MAY_BE_BAD:
                well = False
            progress.end_run(float(ad["EnteredCurrentStatus"]), well=well)
    return progress
