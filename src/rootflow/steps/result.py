"""What a step tells the user."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import rich.table
from rich.console import Console

from rootflow.progress import say_once
from rootflow.table import Table, text_of

Row = dict[str, Any]
STARTED = time.time()
WIDTH_OF_A_FILE = 160


class Found(NamedTuple):
    """What the evaluation of a task found, as a `StepResult` says it."""

    facts: dict[str, Any]
    tables: dict[str, list[Row]]
    metrics: dict[str, float]


@dataclass(frozen=True)
class StepResult:
    """The outcome of a step: single facts, tables of rows with the same columns, metrics."""

    step: str
    run_id: str
    facts: dict[str, Any]
    tables: dict[str, list[Row]] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the result as plain data."""
        return {
            "step": self.step,
            "run_id": self.run_id,
            **self.facts,
            **self.tables,
            "metrics": self.metrics,
        }


def show(result: StepResult) -> None:
    """Print every table of the result, then its facts."""
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=WIDTH_OF_A_FILE)
    for title, rows in result.tables.items():
        if rows:
            table = Table.of_rows(title, title.replace("_", " "), rows)
            drawn = rich.table.Table(title=table.title, title_justify="left")
            for place, head in enumerate(table.head):
                drawn.add_column(head, justify="right" if table.is_numeric(place) else "left")
            for row in table.texts():
                drawn.add_row(*row)
            console.print(drawn)
    facts = rich.table.Table.grid(padding=(0, 2))
    run = {"run": result.run_id} if result.run_id else {}
    for name, value in {**result.facts, **run}.items():
        lines = value if isinstance(value, list) else [value]
        for number, line in enumerate(lines):
            text = str(line) if isinstance(line, int) else text_of(line)
            facts.add_row("" if number else name.replace("_", " "), text)
    console.print(facts, soft_wrap=True)


def date_of(path: Path) -> str:
    """Return when a file was written: ISO 8601, UTC."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")


def say_found(step: str, what: str, paths: Sequence[Path]) -> None:
    """Say, once, which of the answers that these files belong to are there already, and of when."""
    found = [path for path in paths if path.exists() and path.stat().st_mtime < STARTED]
    if found:
        share = f" ({len(found)} of {len(paths)} folds)" if len(paths) > 1 else ""
        say_once(f"{step}: {what} is found again{share}, made {max(map(date_of, found))}")
