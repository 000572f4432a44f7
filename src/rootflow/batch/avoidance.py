"""Keeping the jobs of an HTCondor executor from machines that fail them."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import click

from rootflow.batch.contract import ENDED
from rootflow.batch.description import AVOID, literal
from rootflow.batch.events import Progress
from rootflow.batch.ledger import Key
from rootflow.batch.machines import black_holes
from rootflow.batch.schedd import Schedd
from rootflow.config.batch import LimitsConfig
from rootflow.files import alone_in

SECONDS_BETWEEN_JUDGEMENTS = 1.0


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
        avoided: dict[str, str] = {}
        if self._notes.exists():
            for line in self._notes.read_text().splitlines():
                note = json.loads(line)
                avoided.pop(note["machine"], None)
                if note["avoided"]:
                    avoided[note["machine"]] = note["why"]
        return avoided

    def look_after(self, jobs: Mapping[Key, Progress]) -> None:
        """Judge machines by what became of the jobs; keep those in the queue from the bad ones."""
        if self._failures is None or time.monotonic() < self._next_judgement:
            return
        found = black_holes([each.runs for each in jobs.values()], self._failures, time.time())
        if found.keys() != self.machines().keys():
            with alone_in(self._folder):
                self._note({machine: str(verdict) for machine, verdict in found.items()})
        self._tell(jobs)
        self._next_judgement = time.monotonic() + SECONDS_BETWEEN_JUDGEMENTS

    def _note(self, found: Mapping[str, str]) -> None:
        before = self.machines()
        changes = [(machine, True, found[machine]) for machine in found if machine not in before]
        changes += [(machine, False, "") for machine in before if machine not in found]
        with self._notes.open("a") as stream:
            for machine, avoided, why in changes:
                note = {"machine": machine, "avoided": avoided, "why": why, "time": time.time()}
                stream.write(json.dumps(note) + "\n")
                what = f"jobs avoid {machine}: {why}" if avoided else f"{machine} may try again"
                click.echo(f"rootflow: {what}", err=True)

    def _tell(self, jobs: Mapping[Key, Progress]) -> None:
        """Tell the jobs in the queue; HTCondor may make some of a submission later."""
        avoided = frozenset(self.machines())
        queued = [key for key, progress in jobs.items() if progress.state not in ENDED]
        if any(self._told.get(key, frozenset()) != avoided for key in queued):
            self._schedd.edit_all(self._folder, AVOID, literal(as_list(avoided)))
            self._told.update(dict.fromkeys(queued, avoided))


def as_list(machines: Mapping[str, str] | frozenset[str]) -> str:
    """Return machines as a ClassAd's list of strings."""
    return ",".join(sorted(machines))
