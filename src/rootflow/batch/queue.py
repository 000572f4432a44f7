"""What a schedd's queue says of jobs whose event log it keeps to itself."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from rootflow.batch.contract import ENDED, State
from rootflow.batch.description import SUBMISSION
from rootflow.batch.events import MACHINE_MAY_BE_BAD, MachineRun, Progress, one_line
from rootflow.batch.folder import read
from rootflow.batch.job import SIGNALLED
from rootflow.batch.schedd import Schedd

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
        progress = self.jobs[job_id] = _progress(ad)
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
            self.jobs[job_id] = _progress(ad)
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


def _progress(ad: Any) -> Progress:
    code = int(ad["JobStatus"])
    progress = Progress(
        state=STATES.get(code, State.RUNNING),
        starts=int(ad.get("NumJobStarts", 0)),
        holds=int(ad.get("NumHolds", 0)),
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
