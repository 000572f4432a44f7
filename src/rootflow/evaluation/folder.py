"""An evaluation as a folder: plain data as JSON, and all that is drawn from it."""

import base64
import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import jinja2
from pydantic import ConfigDict, TypeAdapter, ValidationError

from rootflow.checksum import read_sealed, sealed_json
from rootflow.errors import InputError
from rootflow.files import whole_file
from rootflow.table import Table, write_tables

RESULTS, PROVENANCE = "evaluation.json", "provenance.json"
REPORT, FIGURES, TABLES = "report.html", "figures", "tables"
EVALUATE_AGAIN = "fetch it anew or evaluate again"
TASKS = ("reconstruction", "classification")
Results = TypeVar("Results")
# Titles and captions by the beginning of figures' names.
Captions = Mapping[str, tuple[str, str]]


def write_folder(
    evaluation: Any, tables: Sequence[Table], provenance: Mapping[str, str], directory: Path
) -> None:
    """Write results, of a task that they name, their tables and provenance; nothing is drawn."""
    write_json(evaluation, directory / RESULTS)
    write_json(dict(provenance), directory / PROVENANCE)
    write_tables(tables, directory / TABLES)


def draw_evaluation(directory: Path, style: str, output: Path | None = None) -> list[Path]:
    """Draw all figures, which are returned, and the report of a written evaluation of any task.

    Parameters
    ----------
    directory
        With the results, as they are logged.
    style
        neutral, ATLAS or CMS.
    output
        Where figures and report go; none: beside the results.

    Raises
    ------
    InputError
        There is no evaluation, or it cannot be read.
    UsageError
        There is no such style.
    """
    of_task: Any = import_module(f"rootflow.evaluation.{_task_of(directory / RESULTS)}")
    evaluation = of_task.read(directory / RESULTS)
    provenance = json.loads(read_sealed(directory / PROVENANCE, EVALUATE_AGAIN))
    to = output or directory
    figures: list[Path] = of_task.draw(evaluation, to / FIGURES, style)
    of_task.write_report(evaluation, figures, provenance, to / REPORT)
    return figures


def write_json(results: Any, path: Path) -> None:
    """Write named tuples of plain data as JSON; there is no NaN in it."""
    with whole_file(path) as partial:
        partial.write_bytes(sealed_json(json.dumps(_plain(results), indent=1, allow_nan=False)))


def read_json(kind: type[Results], path: Path) -> Results:
    """Read results of a type that `write_json` wrote; anything else is an InputError."""
    adapter = TypeAdapter(kind, config=ConfigDict(arbitrary_types_allowed=True))
    try:
        return adapter.validate_json(read_sealed(path, EVALUATE_AGAIN))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise InputError(f"{path}: not an evaluation: {where}: {first['msg']}") from None


def _task_of(path: Path) -> str:
    """Return of which task a written evaluation is."""
    try:
        found = json.loads(read_sealed(path, EVALUATE_AGAIN))
    except ValueError as error:
        raise InputError(f"{path}: not an evaluation: {error}") from None
    task = found.get("task") if isinstance(found, dict) else None
    if task not in TASKS:
        raise InputError(
            f"{path}: not an evaluation of {' or '.join(TASKS)}, or one of an older version: "
            f"{EVALUATE_AGAIN}"
        )
    return str(task)


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def write_page(
    path: Path,
    template: str,
    *,
    tables: Sequence[Table],
    figures: Sequence[Path],
    captions: Captions,
    **about: Any,
) -> None:
    """Write one self-contained HTML file from a template that extends page.html.

    Tables without rows are left out; of the figures those that are PNG are shown, in their order.
    `captions` are title and caption by the beginning of figures' names. What else the template asks
    for is `about`: the provenance says where all comes from, as name and value.
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
