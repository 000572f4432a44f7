"""Results as tables on a terminal."""

import math
from typing import Any

from rich.console import Console
from rich.table import Table

from rootflow.steps.result import Row, StepResult

ERROR = "_error"
WIDTH_OF_A_FILE = 160


def show(result: StepResult) -> None:
    """Print every table of the result, then its facts."""
    terminal = Console()
    console = terminal if terminal.is_terminal else Console(width=WIDTH_OF_A_FILE)
    for title, rows in result.tables.items():
        if rows:
            console.print(_table(title, rows))
    facts = Table.grid(padding=(0, 2))
    run = {"run": result.run_id} if result.run_id else {}
    for name, value in {**result.facts, **run}.items():
        lines = value if isinstance(value, list) else [value]
        for number, line in enumerate(lines):
            facts.add_row("" if number else _words(name), _text(line))
    console.print(facts, soft_wrap=True)


def _table(title: str, rows: list[Row]) -> Table:
    names = dict.fromkeys(name for row in rows for name in row)
    errors = {f"{name}{ERROR}" for name in names}
    columns = [name for name in names if name not in errors]
    table = Table(title=_words(title), title_justify="left")
    for name in columns:
        numeric = all(isinstance(row.get(name), int | float | None) for row in rows)
        table.add_column(_words(name), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_with_error(row.get(name), row.get(name + ERROR)) for name in columns))
    return table


def _with_error(value: Any, error: float | None) -> str:
    """Return value and error with as many digits as two of the error ask for."""
    if not error or value is None:
        return _text(value)
    digits = max(0, 1 - math.floor(math.log10(abs(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _words(name: str) -> str:
    return name.replace("_", " ")
