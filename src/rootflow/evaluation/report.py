"""The evaluation as one HTML page that needs nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rootflow.evaluation.figures.captions import captions_of
from rootflow.evaluation.metrics import DEFINITIONS
from rootflow.evaluation.page import write_page
from rootflow.evaluation.results import Evaluation
from rootflow.evaluation.tables import facts_of, tables_of


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
