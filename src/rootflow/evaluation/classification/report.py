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
    of_data = [process.kind == "data" for process in evaluation.processes]
    events = [process.events for process in evaluation.processes]
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
        simulated=sum(n for n, is_data in zip(events, of_data, strict=True) if not is_data),
        data=sum(n for n, is_data in zip(events, of_data, strict=True) if is_data),
    )


def write_evaluation(
    evaluation: ClassificationEvaluation, provenance: Mapping[str, str], directory: Path
) -> None:
    """Write results, where they come from, and the tables; nothing is drawn."""
    unscored = evaluation._replace(scored=())
    write_folder(unscored, tables_of(evaluation), provenance, directory)
