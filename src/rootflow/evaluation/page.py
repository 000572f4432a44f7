"""Reports as one HTML page that needs nothing else."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from rootflow.files import whole_file
from rootflow.table import Table

Captions = Mapping[str, tuple[str, str]]


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
    """Write one self-contained HTML file from a template that extends page.html.

    Tables without rows are left out; of the figures those that are PNG are shown. `captions` are
    title and caption by what the names of figures' files begin with, `definitions` what each metric
    means by its name, `provenance` where all comes from, `about` what else the template asks for.
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
        figures=[_shown(figure, captions) for figure in figures if figure.suffix == ".png"],
        definitions=definitions,
        provenance=provenance,
        **about,
    )
    with whole_file(path) as partial:
        partial.write_text(page, encoding="utf-8")


def _shown(figure: Path, captions: Captions) -> dict[str, str]:
    name, title, caption = figure.stem, figure.stem, ""
    known = [start for start in captions if name == start or name.startswith(f"{start}_")]
    if known:
        start = max(known, key=len)
        title, caption = captions[start]
        of = name.removeprefix(start).removeprefix("_")
        title = f"{title}: {of}" if of else title
    data = base64.b64encode(figure.read_bytes()).decode("ascii")
    return {"name": name, "title": title, "caption": caption, "data": data}
