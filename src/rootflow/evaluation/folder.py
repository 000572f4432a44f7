"""An evaluation as a folder: plain data, and all that is drawn from it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rootflow.checksum import read_sealed, sealed_json
from rootflow.evaluation.saving import EVALUATE_AGAIN, task_of, write_json
from rootflow.files import whole_file
from rootflow.table import Table, write_tables

RESULTS, PROVENANCE = "evaluation.json", "provenance.json"
REPORT, FIGURES, TABLES = "report.html", "figures", "tables"


def write_folder(
    evaluation: Any, tables: Sequence[Table], provenance: Mapping[str, str], directory: Path
) -> None:
    """Write results, tables and provenance of an evaluation; nothing is drawn.

    Parameters
    ----------
    evaluation
        What was found, as plain data; its `task` says of which task it is.
    tables
        What becomes CSV and LaTeX.
    provenance
        Where it comes from, as name and value.
    directory
        Where it goes.
    """
    write_json(evaluation, directory / RESULTS)
    with whole_file(directory / PROVENANCE) as partial:
        partial.write_bytes(sealed_json(json.dumps(dict(provenance), indent=1)))
    write_tables(tables, directory / TABLES)


def draw_evaluation(directory: Path, style: str, output: Path | None = None) -> list[Path]:
    """Draw all figures and the report of a written evaluation of any task, without any model.

    Parameters
    ----------
    directory
        That `write_folder` filled.
    style
        neutral, ATLAS or CMS.
    output
        Where figures and report go; none: beside the results.

    Returns
    -------
    The figures.

    Raises
    ------
    InputError
        There is no evaluation, or it cannot be read.
    UsageError
        There is no such style.
    """
    of_task: Any
    if task_of(directory / RESULTS) == "classification":
        from rootflow.evaluation import classification as of_task
    else:
        from rootflow.evaluation import reconstruction as of_task
    evaluation = of_task.read(directory / RESULTS)
    provenance = json.loads(read_sealed(directory / PROVENANCE, EVALUATE_AGAIN))
    to = output or directory
    figures: list[Path] = of_task.draw(evaluation, to / FIGURES, style)
    of_task.write_report(evaluation, figures, provenance, to / REPORT)
    return figures
