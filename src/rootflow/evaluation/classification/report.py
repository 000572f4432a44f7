"""The evaluation of classifiers as one HTML page that needs nothing else."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rootflow.evaluation.classification.cautions import cautions_of
from rootflow.evaluation.classification.figures.captions import CAPTIONS
from rootflow.evaluation.classification.naming import (
    DEFINITIONS,
    Part,
    Row,
    parts_of,
    window_of,
)
from rootflow.evaluation.classification.results import ClassificationEvaluation, ModelResult
from rootflow.evaluation.page import Table, table_of, write_page
from rootflow.p_value import PValue

TITLES = {
    "auc": "Area under the ROC curve",
    "over_training": "Events seen in training against unseen ones",
    "best_cut": "Best cut",
    "fit": "Significance of the fit in score bins",
    "yields": "Events before and after the best cut of each model",
}


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
    of_data = [process.label == "data" for process in evaluation.processes]
    events = [process.events for process in evaluation.processes]
    write_page(
        path,
        "classification.html",
        tables=_tables(evaluation),
        figures=figures,
        captions=CAPTIONS,
        definitions=DEFINITIONS,
        provenance=provenance,
        evaluation=evaluation,
        cautions=cautions_of(evaluation),
        simulated=sum(n for n, is_data in zip(events, of_data, strict=True) if not is_data),
        data=sum(n for n, is_data in zip(events, of_data, strict=True) if is_data),
    )


def _tables(evaluation: ClassificationEvaluation) -> list[Table]:
    tables = [table_of(TITLES.get(name, name), rows) for name, rows in evaluation.tables().items()]
    if evaluation.differences:
        tables.append(table_of("Differences, and the p-value of none", _differences(evaluation)))
    return [
        *tables,
        table_of(
            "Background rejection by signal efficiency",
            [
                _rejections(model, part, window_of(evaluation))
                for model in evaluation.models
                for part in parts_of(model)
            ],
        ),
        table_of("Calibration", [_calibration(model) for model in evaluation.models]),
    ]


def _differences(evaluation: ClassificationEvaluation) -> list[Row]:
    return [
        {
            "model": found.model,
            "better_than": found.other,
            "by_auc": found.auc.value,
            "by_auc_error": found.auc.error,
            "p_value": PValue(found.p_value, evaluation.replicas),
        }
        for found in evaluation.differences
    ]


def _rejections(model: ModelResult, part: Part, window: str) -> Row:
    row: Row = {"model": model.name, "events": window if part.ending else "all"}
    for signal_efficiency, rejection in part.ranking.rejections:
        name = f"{100 * signal_efficiency:.0f} %"
        row[name] = rejection and rejection.value
        row[f"{name}_error"] = rejection and rejection.error
    return row


def _calibration(model: ModelResult) -> Row:
    calibration = model.calibration
    return {
        "model": model.name,
        "calibration_error": calibration.expected_calibration_error.value,
        "calibration_error_error": calibration.expected_calibration_error.error,
        "brier_score": calibration.brier_score.value,
        "brier_score_error": calibration.brier_score.error,
    }
