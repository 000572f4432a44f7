"""Paired comparisons: models in one metric on the same events and the same replicas."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise, permutations
from typing import Literal, NamedTuple

import numpy as np

from rootflow.config.evaluation import ClassifierPromotionConfig, ReconstructionPromotionConfig
from rootflow.errors import InputError, UsageError
from rootflow.estimate import Estimate, PValue
from rootflow.evaluation.bootstrap import (
    FloatArray,
    Replicated,
    better_p_value,
    standard_deviation,
)
from rootflow.evaluation.results import Comparison
from rootflow.table import Column, Table

# Which values of a metric are better than others.
Better = Literal["more", "less", "nearer to zero"]


class Metric(NamedTuple):
    """What models are compared in: a number of a statistic, and which of its values are better."""

    statistic: str
    at: int = 0
    better: Better = "more"


class Paired(NamedTuple):
    """By how much one is better than another, with the error of the difference.

    P-values are one-sided: of no larger gain than what is asked at least, and of being no worse.
    """

    gain: Estimate
    p_value: float
    p_value_no_worse: float


def paired(
    one: Replicated, other: Replicated, better: Better = "more", *, at: int = 0, least: float = 0.0
) -> Paired:
    """Compare the number `at` a place in both, in the same replicas; `least` gain is asked for."""
    gain = _merit(one.values[at], better) - _merit(other.values[at], better)
    gains = _merit(one.replicas[:, at], better) - _merit(other.replicas[:, at], better)
    error = float(standard_deviation(gains[:, np.newaxis])[0])
    estimate = Estimate(float(gain), error)
    return Paired(estimate, better_p_value(gains - least), better_p_value(-gains))


def having(
    metric: Metric, found: Mapping[str, Replicated], names: Iterable[str]
) -> dict[str, Replicated]:
    """Return the statistic of a metric, which is found by NAME/STATISTIC, of those that have it."""
    every = {name: f"{name}/{metric.statistic}" for name in names}
    existing = {name: found[key] for name, key in every.items() if key in found}
    return {name: each for name, each in existing.items() if np.isfinite(each.values[metric.at])}


def comparisons(
    metrics: Mapping[str, Metric], found: Mapping[str, Replicated], names: Sequence[str]
) -> tuple[Comparison, ...]:
    """Return every two models, both ways, in every metric where the difference exists."""
    made = []
    for name_of_metric, metric in metrics.items():
        of_models = having(metric, found, names)
        for name, other in permutations(of_models, 2):
            both = paired(of_models[name], of_models[other], metric.better, at=metric.at)
            if np.isfinite(both.gain.value) and np.isfinite(both.gain.error):
                p_equal = min(1.0, 2 * min(both.p_value, both.p_value_no_worse))
                p_values = both.p_value, p_equal
                made.append(Comparison(name_of_metric, name, other, both.gain, *p_values))
    return tuple(made)


def by_pair(found: Iterable[Comparison], metric: str) -> dict[tuple[str, str], Comparison]:
    """Return what was found in one metric, by the names of both models."""
    return {(each.name, each.other): each for each in found if each.metric == metric}


def comparison_table(found: Sequence[Comparison], replicas: int) -> Table:
    """Return one row for every two models in every metric."""
    return Table.of(
        "comparisons",
        "All gains",
        (
            "metric",
            "model",
            "other",
            "gain",
            Column("p_value", "p, no better"),
            Column("p_value_two_sided", "p, equal"),
        ),
        [
            (each.metric, each.name, each.other, each.gain, *p_values(each, replicas))
            for each in found
        ],
    )


def p_values(found: Comparison, replicas: int) -> tuple[PValue, PValue]:
    """Return that of being no better, and that of being equal."""
    return PValue(found.p_value, replicas), PValue(found.p_value_two_sided, replicas, times=2)


def in_words(metric: str) -> str:
    """Return the name of a metric as it reads."""
    return metric.replace("_", " ").replace("mtt", "m(ttbar)").replace("auc", "AUC")


def _merit(values: FloatArray, better: Better) -> FloatArray:
    if better == "nearer to zero":
        return -np.abs(values)
    return values if better == "more" else -values


class BinContest(NamedTuple):
    """The metric of both in a bin of a quantity; the p-value is of the candidate being no worse."""

    quantity: str
    low: float
    high: float
    candidate: Estimate
    champion: Estimate
    gain: Estimate
    p_value: float


class Contest(NamedTuple):
    """The metric of candidate and champion, if there is one, and by how much the first is better.

    The p-value is one-sided, of the gain being no larger than the least gain that is asked.
    """

    metric: str
    events: int
    replicas: int
    seed: int
    candidate: Estimate
    champion: Estimate | None = None
    gain: Estimate | None = None
    p_value: float | None = None
    bins: tuple[BinContest, ...] = ()


def decide(
    events: int,
    measured: Sequence[Replicated],
    promotion: ReconstructionPromotionConfig | ClassifierPromotionConfig,
    seed: int,
    better: Better = "more",
) -> Contest:
    """Return the contest of what was measured of the candidate and, if there is one, the champion.

    Measured is the metric of all events, and then of those in each bin of the promotion.
    """
    metric = promotion.metric
    bins = [
        (quantity, low, high)
        for quantity, limits in promotion.no_regression_in.items()
        for low, high in pairwise(limits)
    ]
    for found in measured:
        for place, value in enumerate(found.values):
            if np.isfinite(value) and np.isfinite(found.replicas[:, place]).any():
                continue
            if place == 0:
                raise InputError(f"{metric} does not exist for the events of the held-out fold")
            quantity, low, high = bins[place - 1]
            raise UsageError(
                f"promotion.no_regression_in.{quantity}: {metric} does not exist in the bin "
                f"from {low:g} to {high:g}, which has too few events: choose wider bins"
            )
    candidate, *rest = measured
    alone = Contest(metric, events, len(candidate.replicas), seed, _estimate(candidate))
    if not rest:
        return alone
    [champion] = rest
    whole = paired(candidate, champion, better, least=promotion.least_gain)
    in_bins = []
    for place, (quantity, low, high) in enumerate(bins, start=1):
        both = paired(candidate, champion, better, at=place)
        in_bins.append(
            BinContest(
                quantity=quantity,
                low=low,
                high=high,
                candidate=_estimate(candidate, place),
                champion=_estimate(champion, place),
                gain=both.gain,
                p_value=both.p_value_no_worse,
            )
        )
    return alone._replace(
        champion=_estimate(champion),
        gain=whole.gain,
        p_value=whole.p_value,
        bins=tuple(in_bins),
    )


def _estimate(found: Replicated, place: int = 0) -> Estimate:
    """Return one number; to the last bit the same, whatever stands beside it."""
    return found.part(slice(place, place + 1)).estimate()
