"""Reports as one HTML page that needs nothing else."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
import numpy as np

from rootflow.evaluation.results import Estimate
from rootflow.files import whole_file

Captions = Mapping[str, tuple[str, str]]

ABSENT = "–"  # noqa: RUF001
ERROR = "_error"


class Table(NamedTuple):
    """A table of texts under a title; the first column is of names, the others of numbers."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class _Figure(NamedTuple):
    name: str
    title: str
    caption: str
    data: str


def write_page(
    path: Path,
    template: str,
    *,
    tables: Sequence[Table],
    figures: Sequence[Path],
    captions: Captions,
    definitions: Mapping[str, str],
    provenance: Mapping[str, str],
    **about: Any,
) -> None:
    """Write one self-contained HTML file.

    Parameters
    ----------
    path
        Of the HTML file.
    template
        Name of one that extends page.html.
    tables
        What was found, in this order.
    figures
        Those that are PNG are shown, in this order.
    captions
        Title and caption of figures, by what the names of their files begin with.
    definitions
        What each metric means, by its name.
    provenance
        Where it comes from, as name and value.
    about
        What else the template asks for.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rootflow.evaluation"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(template).render(
        tables=tables,
        figures=[
            _Figure(figure.stem, *_caption(figure.stem, captions), _encoded(figure))
            for figure in figures
            if figure.suffix == ".png"
        ],
        definitions=definitions,
        provenance=provenance,
        **about,
    )
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8")


def table_of(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return rows of named values as texts; `NAME_error` goes into the column of `NAME`."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    errors = {name + ERROR for name in names}
    columns = [name for name in names if name not in errors]
    return Table(
        title,
        [name.replace("_", " ") for name in columns],
        [[_cell(row.get(name), row.get(name + ERROR)) for name in columns] for row in rows],
    )


def _cell(value: Any, error: float | None) -> str:
    if value is None:
        return ABSENT
    if isinstance(value, float):
        return with_error(Estimate(value, error or 0))
    return f"{value:,}" if isinstance(value, int) else str(value)


def with_error(estimate: Estimate | None) -> str:
    """Return value and error, both to the error's second digit, or a dash for none."""
    if estimate is None:
        return ABSENT
    value, error = estimate
    if error == 0:
        return f"{value:.4g}"
    decimals = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"


def _caption(name: str, captions: Captions) -> tuple[str, str]:
    known = [start for start in captions if name == start or name.startswith(f"{start}_")]
    if not known:
        return name, ""
    start = max(known, key=len)
    title, caption = captions[start]
    of = name.removeprefix(start).removeprefix("_")
    return (f"{title}: {of}" if of else title), caption


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
