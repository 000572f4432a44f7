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

    Those are of what was found, and on what; the matrices are of the observables to `unfold`;
    `files` are the SHA-256 of the files of the events, by their `file_index`, and `provenance` says
    where it comes from, as name and value.
    """
    evaluation, sample, candidates = assessment
    write_folder(evaluation, tables_of(evaluation), provenance, directory)
    write_predictions(candidates, sample, files, directory / PREDICTIONS)
    write_unfoldings(unfoldings(unfold, candidates, sample), directory)


def write_report(
    evaluation: Evaluation, figures: Sequence[Path], provenance: Mapping[str, str], path: Path
) -> None:
    """Write the evaluation as one self-contained HTML file.

    Of `figures`, the files of `draw`, those that are PNG are shown, in their order; `provenance`
    says where it comes from, as name and value: dataset, commit, run.
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
