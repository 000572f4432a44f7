"""The names under which an evaluation's numbers are logged and shown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rootflow.evaluation.results import Estimate
from rootflow.p_value import ASYMPTOTIC, PValue

if TYPE_CHECKING:
    from rootflow.evaluation.classification.results import (
        ClassificationEvaluation,
        HypothesisTest,
        ModelResult,
        OverTraining,
        Process,
        Ranking,
        Yield,
    )

Row = dict[str, Any]

TOTAL = "all expected"
# Behind the names of what is of events that count in significances, where not all do.
IN_WINDOW = "_in_window"

DEFINITIONS = {
    "auc": "area under the ROC curve, signal against all backgrounds",
    "auc_against_NAME": "the same against one of several backgrounds",
    "auc_in_window": "the same of events that count in significances; so other names that end so",
    "rejection_at_70": "1 / background efficiency at 70 % signal efficiency; so at others",
    "auc_training": "the same by models that have trained on the events: never how good a model is",
    "auc_training_excess": "auc_training less auc, event by event; the error is of the difference",
    "auc_training_p_value": "of events seen in training being ranked no better",
    "ks_p_value_signal": "Kolmogorov-Smirnov, one half of signal as in training against the other "
    "half as unseen; so for background",
    "chi2_p_value_signal": "chi2 test of the same two histograms",
    "calibration_error": "mean distance of score and share of signal, classes of the same weight",
    "brier_score": "mean of (score - label)^2, classes of the same weight",
    "sculpting": "largest Jensen-Shannon divergence, in bits, of background's m(4l) in a bin of "
    "the score from the inclusive one",
    "sculpting_expected": "what statistics alone gives in that bin",
    "sculpting_p_value": "of the smallest p-value of all bins, times their number",
    "best_cut": "threshold on the score with the highest significance",
    "significance": "Asimov significance at the best cut with the background's uncertainty",
    "significance_optimism": "by how much it is too high as the cut was chosen on the same events",
    "s_over_sqrt_b": "signal over square root of background at the best cut",
    "signal": "expected at the best cut; so background",
    "fit_significance": "expected significance of the fit in score bins, with systematics",
    "fit_significance_statistics_only": "the same without",
    "fit_observed_significance": "that of data",
    "fit_observed_signal_strength": "fitted signal in data over the expected one",
}


def metrics_of(evaluation: ClassificationEvaluation) -> dict[str, float]:
    """Return `METRIC/MODEL` and `METRIC_error/MODEL`; what does not exist is absent."""
    logged = {}
    for model in evaluation.models:
        for name, value in _metrics(model):
            if value is not None and math.isfinite(value):
                logged[f"{name}/{model.name}"] = value
    return logged


def tables_of(evaluation: ClassificationEvaluation) -> dict[str, list[Row]]:
    """Return rows by table: `auc`, `over_training`, `best_cut`, `fit`, `yields`."""
    return {
        "auc": [_auc_row(evaluation, model) for model in evaluation.models],
        "over_training": [
            _over_training_row(evaluation, model, part, part.over_training)
            for model in evaluation.models
            for part in parts_of(model)
            if part.over_training is not None
        ],
        "best_cut": [_cut_row(model) for model in evaluation.models],
        "fit": [_fit_row(model) for model in evaluation.models],
        "yields": list(_yield_rows(evaluation)),
    }


def _metrics(model: ModelResult) -> Iterator[tuple[str, float | None]]:
    cut, fit = model.best_cut, model.fit
    for ending, ranking, over_training in parts_of(model):
        yield from _pair(f"auc{ending}", ranking.auc)
        for background, auc in ranking.auc_against.items():
            yield from _pair(f"auc_against_{background}{ending}", auc)
        for signal_efficiency, rejection in ranking.rejections:
            yield from _pair(f"rejection_at_{100 * signal_efficiency:.0f}{ending}", rejection)
        if over_training is not None:
            yield from _pair(f"auc_training{ending}", over_training.ranking.auc)
            yield from _pair(f"auc_training_excess{ending}", over_training.ranking.excess)
            yield f"auc_training_p_value{ending}", over_training.ranking.p_value
            for name, found in tests_of(over_training):
                yield f"{name}{ending}", found and found.p_value
    yield from _pair("calibration_error", model.calibration.expected_calibration_error)
    yield from _pair("brier_score", model.calibration.brier_score)
    largest = max(model.sculpting.divergences, key=lambda found: found.value.value)
    yield from _pair("sculpting", largest.value)
    yield from _pair("sculpting_expected", largest.expected)
    yield (
        "sculpting_p_value",
        combined_p_value(found.p_value for found in model.sculpting.divergences),
    )
    yield "best_cut", cut.threshold
    yield from _pair("significance", cut.significance)
    yield "significance_optimism", cut.optimism
    yield from _pair("s_over_sqrt_b", cut.s_over_sqrt_b)
    yield from _pair("signal", cut.signal)
    yield from _pair("background", cut.background)
    yield "fit_significance", fit.with_systematics.expected
    yield "fit_significance_statistics_only", fit.statistics_only.expected
    yield "fit_significance_statistics_only_error", fit.statistics_only.expected_error
    yield "fit_observed_significance", fit.with_systematics.observed
    yield "fit_observed_signal_strength", fit.with_systematics.observed_signal_strength


class Part(NamedTuple):
    """What was found of all events, or of those that count in significances.

    `ending` is behind the names of its metrics.
    """

    ending: str
    ranking: Ranking
    over_training: OverTraining | None


def parts_of(model: ModelResult) -> list[Part]:
    """Return all events, and those that count in significances where not all do."""
    found = [Part("", model.ranking, model.over_training)]
    if model.ranking_in_window is not None:
        found.append(Part(IN_WINDOW, model.ranking_in_window, model.over_training_in_window))
    return found


def tests_of(over_training: OverTraining) -> Iterator[tuple[str, HypothesisTest | None]]:
    """Yield the tests of two samples, by the name of their p-value."""
    for name in ("signal", "background"):
        of_class = getattr(over_training, name)
        yield f"ks_p_value_{name}", of_class.kolmogorov_smirnov
        yield f"chi2_p_value_{name}", of_class.chi2


def window_of(evaluation: ClassificationEvaluation) -> str:
    """Return which events count in significances, in words."""
    if evaluation.significance_window_gev is None:
        return "all"
    low, high = evaluation.significance_window_gev
    return f"m(4l) from {low:g} to {high:g} GeV"


def combined_p_value(p_values: Iterable[float]) -> float:
    """Return the smallest of k p-values times k, at most one (Bonferroni)."""
    tested = list(p_values)
    return min(1.0, len(tested) * min(tested))


def _auc_row(evaluation: ClassificationEvaluation, model: ModelResult) -> Row:
    first = evaluation.models[0].name
    row: Row = {"model": model.name}
    for ending, ranking, _ in parts_of(model):
        row |= dict(_pair(f"auc{ending}", ranking.auc))
    for background, auc in model.ranking.auc_against.items():
        row |= dict(_pair(f"auc_against_{background}", auc))
    found = next(
        (
            each
            for each in evaluation.differences
            if (each.model, each.other) == (model.name, first)
        ),
        None,
    )
    row |= dict(_pair("difference", found and found.auc))
    return {**row, "p_value": found and PValue(found.p_value, evaluation.replicas)}


def _over_training_row(
    evaluation: ClassificationEvaluation, model: ModelResult, part: Part, found: OverTraining
) -> Row:
    ranking = found.ranking
    return {
        "model": model.name,
        "events": window_of(evaluation) if part.ending else "all",
        **dict(_pair("auc_training", ranking.auc)),
        **dict(_pair("auc_unseen", part.ranking.auc)),
        **dict(_pair("excess", ranking.excess)),
        "p_value": PValue(ranking.p_value, evaluation.replicas),
        **{name: test and PValue(test.p_value, ASYMPTOTIC) for name, test in tests_of(found)},
    }


def _cut_row(model: ModelResult) -> Row:
    cut = model.best_cut
    return {
        "model": model.name,
        "cut": cut.threshold,
        **dict(_pair("signal", cut.signal)),
        **dict(_pair("background", cut.background)),
        **dict(_pair("significance", cut.significance)),
        "optimism": cut.optimism,
        **dict(_pair("without_uncertainty", cut.significance_without_uncertainty)),
        **dict(_pair("s_over_sqrt_b", cut.s_over_sqrt_b)),
    }


def _fit_row(model: ModelResult) -> Row:
    statistics, systematics = model.fit.statistics_only, model.fit.with_systematics
    row: Row = {
        "model": model.name,
        "bins": len(model.fit.scores.edges) - 1,
        "statistics_only": statistics.expected,
        "statistics_only_error": statistics.expected_error,
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


def _yield_rows(evaluation: ClassificationEvaluation) -> Iterator[Row]:
    simulated = [place for place, each in enumerate(evaluation.processes) if each.expected]
    data = [place for place, each in enumerate(evaluation.processes) if not each.expected]
    selections = {f"after_cut_{model.name}": model.yields for model in evaluation.models}
    if evaluation.significance_window_gev is not None:
        low, high = evaluation.significance_window_gev
        selections = {f"m4l_{low:g}_to_{high:g}_gev": evaluation.in_window, **selections}
    for place in simulated:
        yield _yield_row(
            evaluation.processes, selections, [place], evaluation.processes[place].name
        )
    yield _yield_row(evaluation.processes, selections, simulated, TOTAL)
    for place in data:
        process = evaluation.processes[place]
        after = {name: yields[place].events for name, yields in selections.items()}
        yield {"process": process.name, "events": process.events, "expected": None, **after}


def _yield_row(
    processes: Sequence[Process],
    selections: dict[str, tuple[Yield, ...]],
    places: Sequence[int],
    name: str,
) -> Row:
    row: Row = {"process": name, "events": sum(processes[place].events for place in places)}
    row |= dict(_pair("expected", _sum(processes[place].expected for place in places)))
    for selection, yields in selections.items():
        row |= dict(_pair(selection, _sum(yields[place].expected for place in places)))
    return row


def _sum(estimates: Iterable[Estimate | None]) -> Estimate:
    found = [estimate for estimate in estimates if estimate]
    return Estimate(
        sum(estimate.value for estimate in found),
        math.hypot(*(estimate.error for estimate in found)),
    )


def _pair(name: str, estimate: Estimate | None) -> Iterator[tuple[str, float | None]]:
    yield name, estimate and estimate.value
    yield f"{name}_error", estimate and estimate.error
