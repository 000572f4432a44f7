"""The evaluation of classifiers as files: plain data and tables, and one HTML page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.classification.figures.captions import captions_of
from rootflow.evaluation.classification.metrics import DEFINITIONS, cautions_of
from rootflow.evaluation.classification.tables import tables_of
from rootflow.evaluation.folder import write_folder
from rootflow.evaluation.page import write_page


def write_report(
    evaluation: ClassificationEvaluation,
    figures: Sequence[Path],
    provenance: Mapping[str, str],
    path: Path,
) -> None:
    """Write the evaluation as one self-contained HTML file.

    Of `figures`, the files of `draw`, those that are PNG are shown, in their order; `provenance`
    says where it comes from, as name and value: dataset, commit, run.
    """
    processes = evaluation.processes
    write_page(
        path,
        "classification.html",
        tables=tables_of(evaluation),
        figures=figures,
        captions=captions_of(evaluation),
        definitions=DEFINITIONS,
        provenance=provenance,
        evaluation=evaluation,
        cautions=cautions_of(evaluation),
        simulated=sum(process.events for process in processes if process.kind != "data"),
        data=sum(process.events for process in processes if process.kind == "data"),
    )


def write_evaluation(
    evaluation: ClassificationEvaluation, provenance: Mapping[str, str], directory: Path
) -> None:
    """Write results, where they come from, and the tables; nothing is drawn."""
    unscored = evaluation._replace(scored=())
    write_folder(unscored, tables_of(evaluation), provenance, directory)
