"""An evaluation as a folder: plain data, and all that is drawn from it."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from rootflow.checksum import read_sealed, sealed_json
from rootflow.evaluation.evaluate import Assessment
from rootflow.evaluation.figures import draw
from rootflow.evaluation.migration import unfoldings, write_unfoldings
from rootflow.evaluation.predictions import write_predictions
from rootflow.evaluation.report import write_report
from rootflow.evaluation.results import read, save
from rootflow.evaluation.saving import EVALUATE_AGAIN
from rootflow.evaluation.tables import tables_of
from rootflow.files import whole_file
from rootflow.table import write_tables

RESULTS, PROVENANCE, PREDICTIONS = "evaluation.json", "provenance.json", "predictions.parquet"
REPORT, FIGURES, TABLES = "report.html", "figures", "tables"


def write_evaluation(
    assessment: Assessment,
    unfold: Sequence[str],
    files: Sequence[str],
    provenance: Mapping[str, str],
    directory: Path,
) -> None:
    """Write the results, predictions, migration matrices and tables; nothing is drawn.

    Parameters
    ----------
    assessment
        What was found, and on what.
    unfold
        Observables whose migration matrices are written.
    files
        SHA-256 of the files of the events, by their `file_index`.
    provenance
        Where it comes from, as name and value.
    directory
        Where it goes.
    """
    evaluation, sample, candidates = assessment
    save(evaluation, directory / RESULTS)
    with whole_file(directory / PROVENANCE) as partial:
        partial.write_bytes(sealed_json(json.dumps(dict(provenance), indent=1)))
    write_predictions(candidates, sample, files, directory / PREDICTIONS)
    write_unfoldings(unfoldings(unfold, candidates, sample), directory)
    write_tables(tables_of(evaluation), directory / TABLES)


def draw_evaluation(directory: Path, style: str, output: Path | None = None) -> list[Path]:
    """Draw all figures and the report of a written evaluation, without any model.

    Parameters
    ----------
    directory
        That `write_evaluation` filled.
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
    evaluation = read(directory / RESULTS)
    provenance = json.loads(read_sealed(directory / PROVENANCE, EVALUATE_AGAIN))
    to = output or directory
    figures = draw(evaluation, to / FIGURES, style)
    write_report(evaluation, figures, provenance, to / REPORT)
    return figures
