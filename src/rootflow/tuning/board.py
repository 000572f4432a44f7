"""How a study goes, live: a bar and counts on a terminal, plain lines elsewhere."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_LINES = 10.0
ENDED = ("done", "pruned", "failed")
NAMES = ("running", "idle", "held", *ENDED)


class TrialCounts(NamedTuple):
    """How many trials are at what, by NAMES, and a line about the best one so far."""

    trials: Counter[str]
    best: str

    @property
    def ended(self) -> int:
        """Trials that have ended."""
        return sum(self.trials[name] for name in ENDED)

    def __str__(self) -> str:
        numbers = ", ".join(
            f"{self.trials[name]} {name}"
            for name in NAMES
            if self.trials[name] or name in ("running", "done")
        )
        return f"{numbers}; {self.best}" if self.best else numbers


@contextmanager
def board(study: str, total: int) -> Iterator[Callable[[TrialCounts], None]]:
    """Yield what shows counts: on a terminal at once, else as a line where they changed."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(f"study {study}", total)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[counts]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(f"study {study}", total=total, counts="")
        yield lambda counts: bar.update(task, completed=counts.ended, counts=str(counts))


def _lines(name: str, total: int) -> Callable[[TrialCounts], None]:
    last: TrialCounts | None = None
    last_time = 0.0

    def show(counts: TrialCounts) -> None:
        nonlocal last, last_time
        due = time.monotonic() - last_time >= SECONDS_BETWEEN_LINES
        if counts != last and (due or counts.ended == total):
            last, last_time = counts, time.monotonic()
            click.echo(f"{name}: {counts.ended}/{total} trials: {counts}", err=True)

    return show
