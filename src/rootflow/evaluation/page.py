"""Reports as one HTML page that needs nothing else."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from rootflow.files import whole_file
from rootflow.table import Table

Captions = Mapping[str, tuple[str, str]]


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
        What was found, in this order; those without rows are left out.
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
        tables=[table for table in tables if table.rows],
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
