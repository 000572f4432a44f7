"""Results as tables on a terminal."""

import math
from typing import Any

import rich.table
from rich.console import Console

from rootflow.estimate import ABSENT
from rootflow.steps.result import StepResult
from rootflow.table import Table

WIDTH_OF_A_FILE = 160


def show(result: StepResult) -> None:
    """Print every table of the result, then its facts."""
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=WIDTH_OF_A_FILE)
    for title, rows in result.tables.items():
        if rows:
            console.print(_drawn(Table.of_rows(title, _words(title), rows)))
    facts = rich.table.Table.grid(padding=(0, 2))
    run = {"run": result.run_id} if result.run_id else {}
    for name, value in {**result.facts, **run}.items():
        lines = value if isinstance(value, list) else [value]
        for number, line in enumerate(lines):
            facts.add_row("" if number else _words(name), _text(line))
    console.print(facts, soft_wrap=True)


def _drawn(table: Table) -> rich.table.Table:
    drawn = rich.table.Table(title=table.title, title_justify="left")
    for place, head in enumerate(table.head):
        drawn.add_column(head, justify="right" if table.is_numeric(place) else "left")
    for row in table.texts():
        drawn.add_row(*row)
    return drawn


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ABSENT
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")
