"""Telling a machine that fails its jobs from jobs that fail everywhere."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

ONE_IN = 1000  # machines as good as the others may be avoided by chance
SECONDS_OF_MEMORY = 86400.0  # what is older counts no more: machines are mended
# A job that has run for so much longer than others took to fail does not fail as they did.
LONGER = 3.0
SECONDS_LONGER = 10.0
# Holds that a bad machine causes, among other things: the program does not start (6), outputs
# or inputs do not get through (12, 13), the job's folder (14) or container (35) is not there.
# https://htcondor.readthedocs.io, "Job ClassAd Attributes", HoldReasonCode
MACHINE_MAY_BE_BAD = {6, 12, 13, 14, 35}


class MachineRun(NamedTuple):
    """One start of a job; times in seconds since the epoch.

    Attributes
    ----------
    machine
        Where.
    started, ended
        When; `ended` is None while it runs.
    well
        False where it failed, None where that is not known or neither: it was evicted.
    """

    machine: str
    started: float
    ended: float | None = None
    well: bool | None = None


class Verdict(NamedTuple):
    """What is thought of a machine on which job after job failed.

    Attributes
    ----------
    at_fault
        Whether that is unlike what happens elsewhere.
    failed
        Jobs that failed on it, one after another.
    elsewhere, failed_elsewhere
        Jobs on the other machines, and those of them that failed.
    """

    at_fault: bool
    failed: int
    elsewhere: int
    failed_elsewhere: int

    def __str__(self) -> str:
        return (
            f"the last {self.failed} jobs on it failed, as did {self.failed_elsewhere} of "
            f"{self.elsewhere} elsewhere"
        )


def judge(jobs: Iterable[Sequence[MachineRun]], failures: int, now: float) -> dict[str, Verdict]:
    """Return what is thought of the machines on which job after job failed.

    Those are machines on which at least `failures` different jobs failed one after another,
    and none has ended well since. Such a machine is at fault when the chance for that is at
    most 1/1000: p**k for k jobs, with p = (f + 1) / (n + 2) for f failures of n jobs on the
    other machines that are not suspected (Laplace's rule of succession), at least one of which
    ended well. A job that failed on two machines says nothing of either.

    Parameters
    ----------
    jobs
        The starts of each job, in the order of time.
    failures
        The least number of different jobs.
    now
        Seconds since the epoch.
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
            for run in last.values():
                by_machine[run.machine].append(run)
    return {
        machine: sorted(runs, key=lambda run: run.ended or now)
        for machine, runs in by_machine.items()
    }


def _streak(runs: Sequence[MachineRun], now: float) -> list[MachineRun]:
    """Return the failures since a job last ended well; none where one that came later lasts."""
    streak: list[MachineRun] = []
    for run in runs:
        if run.well:
            streak = []
        elif run.well is False:
            streak.append(run)
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
