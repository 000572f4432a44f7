"""Keeping the jobs of an HTCondor executor from machines that fail them."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from rootflow.batch.contract import ENDED
from rootflow.batch.description import AVOID, machine_list
from rootflow.batch.events import Progress
from rootflow.batch.ledger import Key
from rootflow.batch.machines import SECONDS_OF_MEMORY, Verdict, judge
from rootflow.batch.schedd import Schedd
from rootflow.config.batch import LimitsConfig
from rootflow.files import alone_in

SECONDS_BETWEEN_JUDGEMENTS = 1.0
MANY = 1000  # jobs; with more of them, judging takes longer


class Avoidance:
    """Which machines are avoided, as noted in the executor's folder, and who was told."""

    def __init__(self, folder: Path, schedd: Schedd, limits: LimitsConfig) -> None:
        self._folder = folder
        self._notes = folder / "machines.jsonl"
        self._schedd = schedd
        self._failures = limits.failures_per_machine
        self._told: dict[Key, frozenset[str]] = {}
        self._next_judgement = 0.0

    def machines(self) -> dict[str, str]:
        """Return the machines that are avoided, and why."""
        if self._failures is None:
            return {}
        return {machine: note["why"] for machine, note in self._noted().items() if note["avoided"]}

    def look_after(self, jobs: Mapping[Key, Progress], *, now: bool = False) -> None:
        """Judge machines by what became of the jobs; keep those in the queue from the bad ones.

        Not more often than once in a while, unless it shall be `now`.
        """
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
        changes = {}
        avoided = self.machines()
        for machine, verdict in verdicts.items():
            if verdict.at_fault and machine not in avoided:
                changes[machine] = str(verdict)
            elif not verdict.at_fault and machine in avoided:  # by now others fail as well
                changes[machine] = ""
        for machine, note in self._noted().items():
            # The failures themselves need not be known any more: the schedd forgets them.
            if note["avoided"] and time.time() - note["time"] > SECONDS_OF_MEMORY:
                changes[machine] = ""
        return changes

    def _noted(self) -> dict[str, dict[str, Any]]:
        """Return the last note about each machine."""
        if not self._notes.exists():
            return {}
        notes = map(json.loads, self._notes.read_text().splitlines())
        return {note["machine"]: note for note in notes}

    def _note(self, changes: Mapping[str, str]) -> None:
        with self._notes.open("a") as stream:
            for machine, why in changes.items():
                note = {"machine": machine, "avoided": bool(why), "why": why, "time": time.time()}
                stream.write(json.dumps(note) + "\n")
                what = f"jobs avoid {machine}: {why}" if why else f"jobs may use {machine} again"
                click.echo(f"rootflow: {what}", err=True)

    def _tell(self, jobs: Mapping[Key, Progress]) -> None:
        """Tell the jobs in the queue; HTCondor may make some of a submission later."""
        avoided = frozenset(self.machines())
        queued = [key for key, progress in jobs.items() if progress.state not in ENDED]
        if any(self._told.get(key, frozenset()) != avoided for key in queued):
            self._schedd.edit_all(self._folder, AVOID, machine_list(avoided))
            self._told.update(dict.fromkeys(queued, avoided))
