"""The evaluation as files: plain data and tables, and one HTML page that needs nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rootflow.evaluation.folder import write_folder
from rootflow.evaluation.page import write_page
from rootflow.evaluation.reconstruction.evaluate import Assessment
from rootflow.evaluation.reconstruction.figures.captions import captions_of
from rootflow.evaluation.reconstruction.metrics import DEFINITIONS
from rootflow.evaluation.reconstruction.migration import unfoldings, write_unfoldings
from rootflow.evaluation.reconstruction.predictions import PREDICTIONS, write_predictions
from rootflow.evaluation.reconstruction.results import Evaluation
from rootflow.evaluation.reconstruction.tables import facts_of, tables_of


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
    write_folder(evaluation, tables_of(evaluation), provenance, directory)
    write_predictions(candidates, sample, files, directory / PREDICTIONS)
    write_unfoldings(unfoldings(unfold, candidates, sample), directory)


def write_report(
    evaluation: Evaluation, figures: Sequence[Path], provenance: Mapping[str, str], path: Path
) -> None:
    """Write the evaluation as one self-contained HTML file.

    Parameters
    ----------
    evaluation
        What was found.
    figures
        Files of `draw`; those that are PNG are shown, in their order.
    provenance
        Where it comes from, as name and value: dataset, commit, run.
    path
        Of the HTML file.
    """
    write_page(
        path,
        "report.html",
        tables=tables_of(evaluation),
        figures=figures,
        captions=captions_of(evaluation),
        definitions=DEFINITIONS,
        provenance=facts_of(evaluation, provenance),
        evaluation=evaluation,
    )
