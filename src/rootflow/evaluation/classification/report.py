"""The evaluation of classifiers as one HTML page that needs nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rootflow.evaluation.classification.figures.captions import CAPTIONS
from rootflow.evaluation.classification.naming import DEFINITIONS, Row
from rootflow.evaluation.classification.results import (
    ClassificationEvaluation,
    HypothesisTest,
    ModelResult,
)
from rootflow.evaluation.page import Table, table_of, write_page

TITLES = {
    "auc": "Area under the ROC curve",
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
            [_rejections(model) for model in evaluation.models],
        ),
        table_of("Over-training and calibration", [_quality(model) for model in evaluation.models]),
    ]


def _differences(evaluation: ClassificationEvaluation) -> list[Row]:
    return [
        {
            "model": found.model,
            "better_than": found.other,
            "by_auc": found.auc.value,
            "by_auc_error": found.auc.error,
            "p_value": found.p_value,
        }
        for found in evaluation.differences
    ]


def _rejections(model: ModelResult) -> Row:
    row: Row = {"model": model.name}
    for signal_efficiency, rejection in model.ranking.rejections:
        name = f"{100 * signal_efficiency:.0f} %"
        row[name] = rejection and rejection.value
        row[f"{name}_error"] = rejection and rejection.error
    return row


def _quality(model: ModelResult) -> Row:
    calibration = model.calibration
    return {
        "model": model.name,
        **dict(_p_values(model)),
        "calibration_error": calibration.expected_calibration_error.value,
        "calibration_error_error": calibration.expected_calibration_error.error,
        "brier_score": calibration.brier_score.value,
        "brier_score_error": calibration.brier_score.error,
    }


def _p_values(model: ModelResult) -> Iterator[tuple[str, float | None]]:
    for name, found in model.over_training._asdict().items():
        yield f"KS_p_{name}", _p_value(found.kolmogorov_smirnov)
        yield f"chi2_p_{name}", _p_value(found.chi2)


def _p_value(test: HypothesisTest | None) -> float | None:
    return None if test is None else test.p_value
