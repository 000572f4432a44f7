"""The tables of an evaluation of classifiers, and the files and the page that hold them."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from rootflow.estimate import ASYMPTOTIC, Estimate, PValue
from rootflow.evaluation.classification.draw import captions_of
from rootflow.evaluation.classification.evaluation import (
    DEFINITIONS,
    ClassificationEvaluation,
    cautions_of,
    tests_of,
)
from rootflow.evaluation.classification.results import ModelResult, OverTraining, PartOfEvents
from rootflow.evaluation.folder import write_folder, write_page
from rootflow.evaluation.results import Process, Yield
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
    parts: list[tuple[PartOfEvents, Row]] = [
        (part, {"model": model.name, "events": evaluation.window if part.ending else "all"})
        for model in models
        for part in model.parts
    ]
    rows: dict[tuple[str, str], list[Row]] = {
        ("auc", "Area under the ROC curve"): [_auc(evaluation, model) for model in models],
        ("over_training", "Events in training against unseen ones"): [
            {**row, **_over_training(part, part.over_training, evaluation.replicas)}
            for part, row in parts
            if part.over_training is not None
        ],
        ("best_cut", "Best cut"): [
            {
                "model": model.name,
                "cut": model.best_cut.threshold,
                "signal": model.best_cut.signal,
                "background": model.best_cut.background,
                "significance": model.best_cut.significance,
                "optimism": model.best_cut.optimism,
                "without_uncertainty": model.best_cut.significance_without_uncertainty,
                "s_over_sqrt_b": model.best_cut.s_over_sqrt_b,
            }
            for model in models
        ],
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
            row | {f"{100 * at:.0f} %": found for at, found in part.ranking.rejections}
            for part, row in parts
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


def _over_training(part: PartOfEvents, found: OverTraining, replicas: int) -> Row:
    ranking = found.ranking
    return {
        "auc_training": ranking.auc,
        "auc_unseen": part.ranking.auc,
        "excess": ranking.excess,
        "p_value": PValue(ranking.p_value, replicas),
        **{name: test and PValue(test.p_value, ASYMPTOTIC) for name, test in tests_of(found)},
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


def _yields(evaluation: ClassificationEvaluation) -> Iterator[Row]:
    processes, observable = evaluation.processes, evaluation.observable
    selections: dict[str, Sequence[Process | Yield]] = {"expected": processes}
    if observable is not None and evaluation.significance_window is not None:
        low, high = evaluation.significance_window
        unit = f"_{observable.unit.lower()}" if observable.unit else ""
        selections[f"{observable.key}_{low:g}_to_{high:g}{unit}"] = evaluation.in_window
    selections |= {f"after_cut_{model.name}": model.yields for model in evaluation.models}
    simulated = [place for place, each in enumerate(processes) if each.expected]
    for place in simulated:
        expected = {name: selected[place].expected for name, selected in selections.items()}
        yield {"process": processes[place].name, "events": processes[place].events, **expected}
    yield {
        "process": TOTAL,
        "events": sum(processes[place].events for place in simulated),
        **{
            name: _sum(selected[place].expected for place in simulated)
            for name, selected in selections.items()
        },
    }
    for place, each in enumerate(processes):
        if not each.expected:
            counted = {name: selected[place].events for name, selected in selections.items()}
            yield {"process": each.name, "events": each.events, **counted, "expected": None}


def _sum(estimates: Iterable[Estimate | None]) -> Estimate:
    values, errors = zip(*(estimate for estimate in estimates if estimate), strict=True)
    return Estimate(sum(values), math.hypot(*errors))
