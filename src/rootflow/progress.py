"""Progress of long work: a bar on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
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
    counted = TextColumn(f"{unit} {{task.fields[note]}}")
    with on_terminal(task, total, counted, TimeElapsedColumn(), TimeRemainingColumn()) as update:
        if update is None:
            yield _lines(task, total, unit)
        else:
            yield lambda count=1, note="": update(advance=count, note=note)


@contextmanager
def on_terminal(
    task: str, total: int | None, *more: ProgressColumn
) -> Iterator[Callable[..., None] | None]:
    """Yield what updates a bar with `more` columns, which may show its `note`; None elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), *more)
    with Progress(*columns, console=console) as bar:
        yield partial(bar.update, bar.add_task(task, total=total, note=""))


def say(line: str) -> None:
    """Tell the user a line beside the result."""
    click.echo(line, err=True)


say_once = cache(say)


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
