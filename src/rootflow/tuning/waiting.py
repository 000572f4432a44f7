"""Trials that wait for a job, and which job has taken which.

A trial that waits is an empty file, NUMBER, in the study's folder `waiting`; it is of the job that
renames it to NUMBER.BY in `taken`. BY is the number of the trial that the job was submitted for.
"""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

WAITING, TAKEN = "waiting", "taken"


class WaitingTrials(NamedTuple):
    """The trials of the study in `place` that any of its jobs may take."""

    place: Path

    def put(self, number: int) -> None:
        """Have a trial wait, whoever had taken it before."""
        self.forget(number)
        (self.place / WAITING).mkdir(exist_ok=True)
        (self.place / WAITING / f"{number:05d}").touch()

    def forget(self, number: int) -> None:
        """Have a trial neither wait nor be taken."""
        (self.place / WAITING / f"{number:05d}").unlink(missing_ok=True)
        for path in (self.place / TAKEN).glob(f"{number:05d}.*"):
            path.unlink(missing_ok=True)

    def take(self, number: int, by: int) -> bool:
        """Give a trial to a job; return whether it is that job's now."""
        (self.place / TAKEN).mkdir(exist_ok=True)
        taken = self.place / TAKEN / f"{number:05d}.{by:05d}"
        with suppress(FileNotFoundError):
            (self.place / WAITING / f"{number:05d}").rename(taken)
        return taken.exists()

    def take_oldest(self, by: int) -> int | None:
        """Give the trial with the lowest number to a job, and return the number, if one waits."""
        return next((number for number in self.waiting() if self.take(number, by)), None)

    def waiting(self) -> list[int]:
        """Return the numbers of all trials that wait, in order."""
        with suppress(FileNotFoundError):
            return sorted(int(path.name) for path in (self.place / WAITING).iterdir())
        return []

    def taken(self) -> dict[int, int]:
        """Return by which job each trial was taken that is not forgotten."""
        with suppress(FileNotFoundError):
            names = sorted(path.name for path in (self.place / TAKEN).iterdir())
            return {int(number): int(by) for number, _, by in (n.partition(".") for n in names)}
        return {}

    def is_open(self) -> bool:
        """Return whether trials may still come."""
        return (self.place / WAITING).exists()

    def close(self) -> None:
        """Say that no more trials come; jobs that wait for one end."""
        shutil.rmtree(self.place / WAITING, ignore_errors=True)
