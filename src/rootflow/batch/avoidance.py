"""Keeping the jobs of an HTCondor executor from machines that fail them, unlike others."""

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import click

from rootflow.batch.contract import ENDED, read
from rootflow.batch.description import AVOID, machine_list
from rootflow.batch.progress import MachineRun, Progress
from rootflow.batch.schedd import Schedd
from rootflow.config.batch import LimitsConfig
from rootflow.files import alone_in

SECONDS_BETWEEN_JUDGEMENTS = 1.0
MANY = 1000  # jobs; with more of them, judging takes longer
ONE_IN = 1000  # machines as good as the others may be avoided by chance
SECONDS_OF_MEMORY = 86400.0  # what is older counts no more: machines are mended
# A job that has run for so much longer than others took to fail does not fail as they did.
LONGER = 3.0
SECONDS_LONGER = 10.0


class Verdict(NamedTuple):
    """Why a machine is at fault or not: `failed` jobs in a row failed on it, unlike elsewhere."""

    at_fault: bool
    failed: int
    elsewhere: int
    failed_elsewhere: int

    def __str__(self) -> str:
        others = f"{self.failed_elsewhere} of {self.elsewhere}"
        return f"the last {self.failed} jobs on it failed, as did {others} elsewhere"


class Avoidance:
    """Which machines are avoided, as noted in the executor's folder, and who was told."""

    def __init__(self, folder: Path, schedd: Schedd, limits: LimitsConfig) -> None:
        self._folder, self._notes = folder, folder / "machines.jsonl"
        self._schedd = schedd
        self._failures = limits.failures_per_machine
        self._told: dict[str, frozenset[str]] = {}
        self._next_judgement = 0.0

    def machines(self) -> dict[str, str]:
        """Return the machines that are avoided, and why."""
        if self._failures is None:
            return {}
        return {machine: note["why"] for machine, note in self._noted().items() if note["avoided"]}

    def look_after(self, jobs: Mapping[str, Progress], *, now: bool = False) -> None:
        """Judge machines by what became of the jobs, at times or `now`; keep jobs from bad ones."""
        if self._failures is None or (time.monotonic() < self._next_judgement and not now):
            return
        verdicts = judge([each.runs for each in jobs.values()], self._failures, time.time())
        if self._changes(verdicts):
            with alone_in(self._folder):
                self._note(self._changes(verdicts))
        self._tell(jobs)
        pause = SECONDS_BETWEEN_JUDGEMENTS * max(1.0, len(jobs) / MANY)
        self._next_judgement = time.monotonic() + pause

    def _changes(self, verdicts: Mapping[str, Verdict]) -> dict[str, str]:
        """Return the machines to avoid from now on, and why; those to avoid no longer, with ""."""
        avoided = self.machines()
        changes = {
            machine: str(verdict) if verdict.at_fault else ""  # by now others fail as well
            for machine, verdict in verdicts.items()
            if verdict.at_fault != (machine in avoided)
        }
        # The failures themselves need not be known any more: the schedd forgets them.
        too_old = time.time() - SECONDS_OF_MEMORY
        noted = self._noted().items()
        return changes | {name: "" for name, n in noted if n["avoided"] and n["time"] < too_old}

    def _noted(self) -> dict[str, dict[str, Any]]:
        """Return the last note about each machine."""
        notes = map(json.loads, read(self._notes).splitlines())
        return {note["machine"]: note for note in notes}

    def _note(self, changes: Mapping[str, str]) -> None:
        with self._notes.open("a") as stream:
            for machine, why in changes.items():
                note = {"machine": machine, "avoided": bool(why), "why": why, "time": time.time()}
                stream.write(json.dumps(note) + "\n")
                what = f"jobs avoid {machine}: {why}" if why else f"jobs may use {machine} again"
                click.echo(f"rootflow: {what}", err=True)

    def _tell(self, jobs: Mapping[str, Progress]) -> None:
        """Tell the jobs in the queue; HTCondor may make some of a submission later."""
        avoided = frozenset(self.machines())
        queued = [key for key, progress in jobs.items() if progress.state not in ENDED]
        if any(self._told.get(key, frozenset()) != avoided for key in queued):
            self._schedd.edit_all(self._folder, AVOID, machine_list(avoided))
            self._told.update(dict.fromkeys(queued, avoided))


def judge(jobs: Iterable[Sequence[MachineRun]], failures: int, now: float) -> dict[str, Verdict]:
    """Return what is thought of the machines on which job after job failed.

    Those are machines on which at least `failures` different jobs failed in a row, and none ended
    well since. Such a machine is at fault when the chance for that is at most 1/1000: p**k for k
    jobs, with p = (f + 1) / (n + 2) for f failures of n jobs on the other machines that are not
    suspected (Laplace's rule of succession), at least one of which ended well. A job that failed
    on two machines says nothing of either. `jobs` are the starts of each in the order of time.
    """
    on_machine = _by_machine(jobs, now)
    streaks = {machine: _streak(runs, now) for machine, runs in on_machine.items()}
    suspected = {machine: k for machine, k in streaks.items() if len(k) >= failures}
    found = {}
    for machine, streak in suspected.items():
        quick = max(_seconds(run, now) for run in streak)
        others = [
            run.well is False
            for other, runs in on_machine.items()
            if other not in suspected
            for run in runs
            if run.well is not None or _outlasts(run, quick, now)
        ]
        n, f = len(others), sum(others)
        at_fault = n > f and ONE_IN * (f + 1) ** len(streak) <= (n + 2) ** len(streak)
        found[machine] = Verdict(at_fault, len(streak), n, f)
    return found


def _by_machine(jobs: Iterable[Sequence[MachineRun]], now: float) -> Mapping[str, list[MachineRun]]:
    """Return the last start of each job on each machine, those that ended first first."""
    by_machine = defaultdict(list)
    for runs in jobs:
        recent = [run for run in runs if (run.ended or now) > now - SECONDS_OF_MEMORY]
        last = {run.machine: run for run in recent}
        if sum(run.well is False for run in last.values()) < 2:
            for machine, run in last.items():
                by_machine[machine].append(run)
    for on_one in by_machine.values():
        on_one.sort(key=lambda run: run.ended or now)
    return by_machine


def _streak(runs: Sequence[MachineRun], now: float) -> list[MachineRun]:
    """Return the failures since a job last ended well; none where one that came later lasts."""
    since = takewhile(lambda run: not run.well, reversed(runs))
    streak = [run for run in since if run.well is False]
    if streak:
        quick = max(_seconds(run, now) for run in streak)
        began = min(run.started for run in streak)
        if any(run.started >= began and _outlasts(run, quick, now) for run in runs):
            return []
    return streak


def _outlasts(run: MachineRun, seconds: float, now: float) -> bool:
    lasted = _seconds(run, now)
    return run.well is None and lasted > LONGER * seconds and lasted > seconds + SECONDS_LONGER


def _seconds(run: MachineRun, now: float) -> float:
    return (now if run.ended is None else run.ended) - run.started
