"""The one kind of table: it becomes HTML, CSV, LaTeX, JSON and lines on a terminal."""

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from rootflow.estimate import ABSENT, Estimate, with_error
from rootflow.files import whole_file

Cell = str | int | float | Estimate | None
Row = dict[str, Any]

# What the error of a column is called in rows of plain values.
ERROR = "_error"
LATEX = {character: "\\" + character for character in "&%$#_{}"} | {ABSENT: "--", "±": r"\pm"}


class Column(NamedTuple):
    """A column of a table: its name in rows of plain values, and what stands above it."""

    name: str
    heading: str


class Table(NamedTuple):
    """Rows of cells below a title; numbers are still numbers, with their errors.

    `name` is that of its files. The first column is of names.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @classmethod
    def of(
        cls,
        name: str,
        title: str,
        columns: Sequence[str | Column],
        rows: Sequence[Sequence[Cell]],
    ) -> Self:
        """Return a table; a column that is a text is headed by it."""
        named = [
            Column(each.replace(" ", "_"), each) if isinstance(each, str) else each
            for each in columns
        ]
        return cls(name, title, tuple(named), tuple(tuple(row) for row in rows))

    @classmethod
    def of_rows(cls, name: str, title: str, rows: Sequence[Mapping[str, Any]]) -> Self:
        """Return rows of named values as a table; `NAME_error` is the error of `NAME`."""
        names = list(dict.fromkeys(key for row in rows for key in row))
        errors = {key + ERROR for key in names}
        shown = [key for key in names if key not in errors]
        columns = [Column(key, key.replace("_", " ")) for key in shown]
        cells = [[_joined(row.get(key), row.get(key + ERROR)) for key in shown] for row in rows]
        return cls.of(name, title, columns, cells)

    def as_rows(self) -> list[Row]:
        """Return plain values by the name of the column; `NAME_error` is the error of `NAME`."""
        with_errors = {
            column
            for place, column in enumerate(self.columns)
            if any(isinstance(row[place], Estimate) for row in self.rows)
        }
        found = []
        for cells in self.rows:
            row: Row = {}
            for column, cell in zip(self.columns, cells, strict=True):
                value, error = cell if isinstance(cell, Estimate) else (cell, None)
                row[column.name] = value
                if column in with_errors:
                    row[column.name + ERROR] = error
            found.append(row)
        return found

    @property
    def head(self) -> list[str]:
        """What stands above the columns."""
        return [column.heading for column in self.columns]

    def texts(self) -> list[list[str]]:
        """Return every row as texts."""
        return [[text_of(cell) for cell in row] for row in self.rows]

    def is_numeric(self, place: int) -> bool:
        """Tell whether a column holds nothing but numbers."""
        return all(isinstance(row[place], int | float | Estimate | None) for row in self.rows)

    def write_csv(self, path: Path) -> None:
        """Write a column for each value, and one for each error beside it."""
        rows = self.as_rows()
        heads = dict(self.columns)
        heads |= {name + ERROR: f"{heading} error" for name, heading in self.columns}
        with (
            whole_file(path) as partial,
            partial.open("w", newline="", encoding="utf-8") as file,
        ):
            writer = csv.writer(file)
            writer.writerow(heads[name] for name in rows[0])
            writer.writerows(row.values() for row in rows)

    def write_latex(self, path: Path) -> None:
        """Write a tabular."""
        lines = [
            f"% {self.title}",
            rf"\begin{{tabular}}{{l{'r' * (len(self.columns) - 1)}}}",
            r"\hline",
            " & ".join(map(_latex, self.head)) + r" \\",
            r"\hline",
            *(" & ".join(map(_latex, row)) + r" \\" for row in self.texts()),
            r"\hline",
            r"\end{tabular}",
        ]
        with whole_file(path) as partial:
            partial.write_text("\n".join(lines) + "\n", encoding="utf-8")


def text_of(cell: Cell) -> str:
    """Return a cell as text, a dash for what does not exist."""
    if isinstance(cell, Estimate):
        return with_error(cell)
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ABSENT
    if isinstance(cell, float):
        return format(cell, ".4g")
    return f"{cell:,}" if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)


def write_tables(tables: Sequence[Table], directory: Path) -> list[Path]:
    """Write every table that has rows as NAME.csv and NAME.tex."""
    paths = []
    for table in tables:
        if table.rows:
            for suffix, write in ((".csv", table.write_csv), (".tex", table.write_latex)):
                paths.append(directory / f"{table.name}{suffix}")
                write(paths[-1])
    return paths


def _joined(value: Any, error: float | None) -> Cell:
    """Return a value with its error; without one it stands alone."""
    if error is None or not isinstance(value, int | float):
        found: Cell = value if isinstance(value, Cell) else str(value)
        return found
    return Estimate(value, error)


def _latex(text: str) -> str:
    escaped = "".join(LATEX.get(character, character) for character in text)
    return f"${escaped}$" if r"\pm" in escaped or "<" in escaped else escaped
