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
    return captions[max(known, key=len)] if known else (name, "")


def _encoded(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
