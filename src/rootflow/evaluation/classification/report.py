"""What is shown of an evaluation of classifiers: figures, tables, and the page that holds them."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from rootflow.estimate import ASYMPTOTIC, Estimate, PValue
from rootflow.evaluation.classification import figures
from rootflow.evaluation.classification.evaluation import (
    DEFINITIONS,
    ClassificationEvaluation,
    cautions_of,
    tests_of,
)
from rootflow.evaluation.classification.results import ModelResult, OverTraining, PartOfEvents
from rootflow.evaluation.figures.stack import stack
from rootflow.evaluation.figures.style import Look, draw_figures
from rootflow.evaluation.folder import Captions, write_folder, write_page
from rootflow.evaluation.paired import by_pair
from rootflow.evaluation.results import Process, Yield
from rootflow.table import Cell, Table

Row = dict[str, Cell]

TOTAL = "all expected"
# What the observable is called in captions, until it is known.
OBSERVABLE = "OBSERVABLE"
_STACK = (
    "Stacked expectation of each process; hatched: simulated statistics, the background's "
    "uncertainty and systematic weights, where there are any. Points, where there are any, are "
    "data with central 68.27 % Poisson intervals, in bins that have any; arrows are ratios beyond "
    "the panel."
)
_WINDOW = "Only events between dotted lines, where there are any, count in significances."
CAPTIONS = {
    "roc": (
        "ROC curves",
        "Background rejection at each signal efficiency, both weighted, of unseen events; right: "
        "of those that count in significances, where not all do. Higher is better, a curve on the "
        "dotted line has learnt nothing. Bands are bootstrap errors: a curve ends where they are "
        "more than half of the background.",
    ),
    "observable": (
        f"{OBSERVABLE} before any cut",
        f"{_STACK} {_WINDOW} Bad: data off the expectation where all processes are simulated.",
    ),
    "observable_after_cut": (
        f"{OBSERVABLE} after the best cut",
        f"{_STACK} {_WINDOW} Bad: background that now peaks under the signal, for the cut has "
        "then selected by it.",
    ),
    "scan": (
        "Significance of each cut",
        "Expected Asimov significance with the background's uncertainty, and its bootstrap error "
        "as a band; dotted: the best cut. It starts at the first threshold that cuts, and ends "
        "where too few simulated background events are left. Bad: a best cut on a spike or at "
        "that end.",
    ),
    "scores": (
        "Score of each process",
        f"{_STACK} Bad: data off the expectation at low scores, where there is hardly signal.",
    ),
    "fit": (
        "Input of the fit",
        f"{_STACK} The signal strength is fitted in these bins, which hold enough background. "
        "Bad: a bin with signal whose uncertainty is that of few simulated events.",
    ),
    "calibration": (
        "Calibration",
        "Share of signal among events of each score, were both classes equally frequent: a score "
        "that is a probability lies on the diagonal, above it the model is too careful of signal. "
        "Below: how often each score is given. Bars are bootstrap errors.",
    ),
    "over_training": (
        "Scores in training and unseen",
        "Scores of one half of the events by models that have trained on them (filled), and of "
        "the other half by models that have not (points), with tests that both are alike; right: "
        "of events that count in significances, where not all do. The AUC is of all events by both "
        "kinds of models, and p of those in training being ranked no better. Bad: small p-values, "
        "unseen signal lower and unseen background higher than in training.",
    ),
    "sculpting": (
        f"Sculpting of {OBSERVABLE}",
        f"Left: {OBSERVABLE} of background, normalised in the figure, in bins of the score with "
        "the same background, from the lowest scores on. Right: how far each is from all scores, "
        "and what statistics alone would give (grey). Bad: points above the grey band, for a cut "
        "on the score then moulds background into the shape of signal.",
    ),
    "importance": (
        "Permutation importance",
        "AUC that is lost when an input is permuted among events; bars are bootstrap errors. "
        "Inputs that tell the same share their importance, and may all look small.",
    ),
    "confusion": (
        "Confusion of classes",
        "Where the highest probability is for events of each class, in percent of its expected "
        "events, and the AUC of its own probability against all other classes. Bad: a column "
        "whose largest number is off the diagonal.",
    ),
    "probability": (
        "Probability of a class",
        f"{_STACK} Bad: data off the expectation where there is little of the class.",
    ),
}


def write_evaluation(
    evaluation: ClassificationEvaluation, provenance: Mapping[str, str], directory: Path
) -> None:
    """Write results, where they come from, and the tables; nothing is drawn."""
    write_folder(evaluation._replace(scored=()), tables_of(evaluation), provenance, directory)


def write_report(
    evaluation: ClassificationEvaluation,
    figures: Sequence[Path],
    provenance: Mapping[str, str],
    path: Path,
) -> None:
    """Write the evaluation as one self-contained HTML file, with the files of `draw` as figures.

    These and the provenance are as in `rootflow.evaluation.folder.write_page`.
    """
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
    )


def draw(evaluation: ClassificationEvaluation, directory: Path, style: str) -> list[Path]:
    """Draw what an evaluation has, as evaluated or as read back, in the order of a report.

    Other parameters, files and errors are those of `draw_figures`.
    """
    return draw_figures(_figures(evaluation), directory, style)


def _figures(evaluation: ClassificationEvaluation) -> Iterator[tuple[str, Figure]]:
    look = Look([model.name for model in evaluation.models])
    drawn, about = evaluation.observable, figures.described(evaluation)
    yield "roc", figures.roc(evaluation, look)
    if drawn is not None and evaluation.spectrum is not None:
        yield "observable", figures.observable(evaluation, drawn, evaluation.spectrum)
    for model in evaluation.models:
        yield f"scan_{model.name}", figures.scan(model, evaluation, look)
        if drawn is not None and model.after_cut is not None:
            figure = figures.observable(evaluation, drawn, model.after_cut, model)
            yield f"observable_after_cut_{model.name}", figure
        quantity = f"score of {model.name}"
        yield f"scores_{model.name}", stack(about, model.scores, quantity=quantity, log=True)
        yield f"fit_{model.name}", figures.fit(model, evaluation)
        if model.classes is not None:
            yield f"confusion_{model.name}", figures.confusion(model, model.classes, evaluation)
            for each in model.classes.one_against_rest:
                quantity = f"probability of {each.name} of {model.name}"
                figure = stack(about, each.scores, quantity=quantity, log=True)
                yield f"probability_{each.name}_{model.name}", figure
    yield "calibration", figures.calibration(evaluation, look)
    for model in evaluation.models:
        if model.over_training is not None:
            yield f"over_training_{model.name}", figures.over_training(model, evaluation)
        if drawn is not None and model.sculpting is not None:
            figure = figures.sculpting(model, model.sculpting, drawn, evaluation)
            yield f"sculpting_{model.name}", figure
        if model.importance:
            yield f"importance_{model.name}", figures.importance(model, evaluation, look)


def captions_of(evaluation: ClassificationEvaluation) -> Captions:
    """Return title and caption of each figure, with the observable by its name."""
    called = evaluation.observable.in_words if evaluation.observable else ""
    return {
        name: (title.replace(OBSERVABLE, called), caption.replace(OBSERVABLE, called))
        for name, (title, caption) in CAPTIONS.items()
    }


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
    found = by_pair(evaluation.comparisons, "auc").get((model.name, evaluation.models[0].name))
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
