"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

SECONDS_BETWEEN_LINES = 10.0

Advance = Callable[..., None]


@contextmanager
def progress(task: str, total: int | None, unit: str) -> Iterator[Advance]:
    """Yield `advance(count, note="")`, to be called as the work goes on.

    `task` is as the user reads it ("preprocess"), `unit` what is counted ("events"); no `total`
    where that is not known beforehand.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        with Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(f"{unit} {{task.fields[note]}}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
        ) as bar:
            task_id = bar.add_task(task, total=total, note="")

            def advance(count: int = 1, note: str = "") -> None:
                bar.update(task_id, advance=count, note=note)

            yield advance
    else:
        yield _lines(task, total, unit)


def say(line: str) -> None:
    """Tell the user a line beside the result."""
    click.echo(line, err=True)


def _lines(task: str, total: int | None, unit: str) -> Advance:
    done = 0
    started = time.monotonic()
    last_line = started

    def advance(count: int = 1, note: str = "") -> None:
        nonlocal done, last_line
        done += count
        now = time.monotonic()
        if now - last_line >= SECONDS_BETWEEN_LINES or done == total:
            last_line = now
            of = f"/{total}" if total is not None else ""
            line = f"{task}: {done}{of} {unit} in {now - started:.0f} s {note}".rstrip()
            say(line)

    return advance
