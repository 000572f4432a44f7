"""How a study goes, live: a bar and counts on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import NamedTuple, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_LINES = 10.0


class TrialCounts(NamedTuple):
    """Trials by what they are at, and the best one so far."""

    running: int
    idle: int
    held: int
    done: int
    pruned: int
    failed: int
    best: str

    @property
    def ended(self) -> int:
        """Trials that have ended."""
        return self.done + self.pruned + self.failed

    def __str__(self) -> str:
        numbers = ", ".join(
            f"{count} {name}"
            for name, count in zip(self._fields[:-1], self[:-1], strict=True)
            if count or name in ("running", "done")
        )
        return f"{numbers}; {self.best}" if self.best else numbers


class Board:
    """Shows counts as they change."""

    def __init__(self, study: str, total: int) -> None:
        console = Console(stderr=True)
        self._name, self._total = f"study {study}", total
        self._last: TrialCounts | None = None
        self._last_time = 0.0
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[counts]}"),
                TimeElapsedColumn(),
                console=console,
            )
            self._task = self._bar.add_task(self._name, total=total, counts="")

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def show(self, counts: TrialCounts) -> None:
        """Show the counts: on a terminal at once, else as a line where they changed."""
        if self._bar:
            self._bar.update(self._task, completed=counts.ended, counts=str(counts))
            return
        due = time.monotonic() - self._last_time >= SECONDS_BETWEEN_LINES
        if counts != self._last and (due or counts.ended == self._total):
            self._last, self._last_time = counts, time.monotonic()
            click.echo(f"{self._name}: {counts.ended}/{self._total} trials: {counts}", err=True)
