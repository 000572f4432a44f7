"""Results as tables on a terminal."""

import math
from typing import Any

from rich.console import Console
from rich.table import Table

from rootflow.steps.result import Row, StepResult


def show(result: StepResult) -> None:
    """Print every table of the result, then its facts."""
    console = Console(width=None if Console().is_terminal else 160)
    for title, rows in result.tables.items():
        if rows:
            console.print(_table(title, rows))
    facts = Table.grid(padding=(0, 2))
    for name, value in {**result.facts, "run": result.run_id}.items():
        lines = value if isinstance(value, list) else [value]
        for number, line in enumerate(lines):
            facts.add_row("" if number else name, _text(line))
    console.print(facts, soft_wrap=True)


def _table(title: str, rows: list[Row]) -> Table:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(title=title, title_justify="left")
    for name in columns:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(name, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_text(row.get(name)) for name in columns))
    return table


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
