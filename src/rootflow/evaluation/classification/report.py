"""The tables of an evaluation of classifiers, and the files and the page that hold them."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rootflow.estimate import Estimate
from rootflow.evaluation.classification.evaluation import (
    DEFINITIONS,
    ClassificationEvaluation,
    cautions_of,
    tests_of,
)
from rootflow.evaluation.classification.figures.captions import captions_of
from rootflow.evaluation.classification.results import ModelResult, OverTraining, PartOfEvents
from rootflow.evaluation.folder import write_folder, write_page
from rootflow.evaluation.results import Yield
from rootflow.p_value import ASYMPTOTIC, PValue
from rootflow.table import Cell, Table

Row = dict[str, Cell]

TOTAL = "all expected"


def write_evaluation(
    evaluation: ClassificationEvaluation, provenance: Mapping[str, str], directory: Path
) -> None:
    """Write results, where they come from, and the tables; nothing is drawn."""
    unscored = evaluation._replace(scored=())
    write_folder(unscored, tables_of(evaluation), provenance, directory)


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


def tables_of(evaluation: ClassificationEvaluation) -> list[Table]:
    """Return all tables that have rows, in the order of the report."""
    models = evaluation.models
    rows: dict[tuple[str, str], list[Row]] = {
        ("auc", "Area under the ROC curve"): [_auc(evaluation, model) for model in models],
        ("over_training", "Events in training against unseen ones"): [
            _over_training(evaluation, model, part, part.over_training)
            for model in models
            for part in model.parts
            if part.over_training is not None
        ],
        ("best_cut", "Best cut"): [_cut(model) for model in models],
        ("fit", "Significance of the fit in score bins"): [_fit(model) for model in models],
        ("yields", "Events before and after the best cut of each model"): list(_yields(evaluation)),
        ("differences", "Differences, and the p-value of none"): [
            {
                "model": found.name,
                "better_than": found.other,
                "by_auc": found.gain,
                "p_value": PValue(found.p_value, evaluation.replicas),
            }
            for found in evaluation.comparisons
        ],
        ("rejection", "Background rejection by signal efficiency"): [
            _rejections(model, part, evaluation) for model in models for part in model.parts
        ],
        ("calibration", "Calibration"): [
            {
                "model": model.name,
                "calibration_error": model.calibration.expected_calibration_error,
                "brier_score": model.calibration.brier_score,
            }
            for model in models
        ],
        ("confusion", "Share of the events of a class that is given each class"): [
            {
                "model": model.name,
                "class": each.name,
                "auc_against_rest": each.auc,
                **dict(zip(evaluation.classes, shares, strict=True)),
            }
            for model in models
            if model.classes is not None
            for each, shares in zip(
                model.classes.one_against_rest, model.classes.confusion, strict=True
            )
        ],
        ("systematics", "Systematic variations, less nominal"): [
            {
                "model": model.name,
                "variation": found.name,
                "auc": found.auc,
                "signal": found.signal,
                "background": found.background,
                "significance": found.significance,
            }
            for model in models
            for found in model.variations
        ],
    }
    return [Table.of_rows(*named, of_table) for named, of_table in rows.items() if of_table]


def _auc(evaluation: ClassificationEvaluation, model: ModelResult) -> Row:
    row: Row = {"model": model.name}
    row |= {f"auc{ending}": ranking.auc for ending, ranking, _ in model.parts}
    row |= {f"auc_against_{name}": auc for name, auc in model.ranking.auc_against.items()}
    compared = {(each.name, each.other): each for each in evaluation.comparisons}
    found = compared.get((model.name, evaluation.models[0].name))
    p_value = found and PValue(found.p_value, evaluation.replicas)
    return {**row, "difference": found and found.gain, "p_value": p_value}


def _over_training(
    evaluation: ClassificationEvaluation,
    model: ModelResult,
    part: PartOfEvents,
    found: OverTraining,
) -> Row:
    ranking = found.ranking
    return {
        "model": model.name,
        "events": evaluation.window if part.ending else "all",
        "auc_training": ranking.auc,
        "auc_unseen": part.ranking.auc,
        "excess": ranking.excess,
        "p_value": PValue(ranking.p_value, evaluation.replicas),
        **{name: test and PValue(test.p_value, ASYMPTOTIC) for name, test in tests_of(found)},
    }


def _cut(model: ModelResult) -> Row:
    cut = model.best_cut
    return {
        "model": model.name,
        "cut": cut.threshold,
        "signal": cut.signal,
        "background": cut.background,
        "significance": cut.significance,
        "optimism": cut.optimism,
        "without_uncertainty": cut.significance_without_uncertainty,
        "s_over_sqrt_b": cut.s_over_sqrt_b,
    }


def _fit(model: ModelResult) -> Row:
    statistics, systematics = model.fit.statistics_only, model.fit.with_systematics
    row: Row = {
        "model": model.name,
        "bins": len(model.fit.scores.edges) - 1,
        "statistics_only": Estimate(statistics.expected, statistics.expected_error or 0.0),
        "with_systematics": systematics.expected,
    }
    if systematics.observed is None:
        return row
    return {
        **row,
        "observed_statistics_only": statistics.observed,
        "observed_with_systematics": systematics.observed,
        "observed_signal_strength": systematics.observed_signal_strength,
    }


def _rejections(
    model: ModelResult, part: PartOfEvents, evaluation: ClassificationEvaluation
) -> Row:
    found = {f"{100 * at:.0f} %": rejection for at, rejection in part.ranking.rejections}
    return {"model": model.name, "events": evaluation.window if part.ending else "all", **found}


def _yields(evaluation: ClassificationEvaluation) -> Iterator[Row]:
    selections = {f"after_cut_{model.name}": model.yields for model in evaluation.models}
    observable, window = evaluation.observable, evaluation.significance_window
    if observable is not None and window is not None:
        unit = f"_{observable.unit.lower()}" if observable.unit else ""
        within = f"{observable.key}_{window[0]:g}_to_{window[1]:g}{unit}"
        selections = {within: evaluation.in_window, **selections}
    simulated = [place for place, each in enumerate(evaluation.processes) if each.expected]
    for place in simulated:
        yield _yield(evaluation.processes[place].name, [place], evaluation, selections)
    yield _yield(TOTAL, simulated, evaluation, selections)
    for place, each in enumerate(evaluation.processes):
        if not each.expected:
            after = {name: yields[place].events for name, yields in selections.items()}
            yield {"process": each.name, "events": each.events, "expected": None, **after}


def _yield(
    name: str,
    places: Sequence[int],
    evaluation: ClassificationEvaluation,
    selections: Mapping[str, tuple[Yield, ...]],
) -> Row:
    """Return what is expected of some processes together, before and after selections."""
    together = [evaluation.processes[place] for place in places]
    return {
        "process": name,
        "events": sum(process.events for process in together),
        "expected": _sum(process.expected for process in together),
        **{
            selection: _sum(yields[place].expected for place in places)
            for selection, yields in selections.items()
        },
    }


def _sum(estimates: Iterable[Estimate | None]) -> Estimate:
    found = [estimate for estimate in estimates if estimate]
    return Estimate(
        sum(estimate.value for estimate in found),
        math.hypot(*(estimate.error for estimate in found)),
    )
