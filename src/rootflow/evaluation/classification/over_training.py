"""Whether models score what they have trained on as they score what they have not.

How well either kind of score ranks is compared event by event (`RankingQuestion`). Tests of two
samples cannot do that: samples that share events are more alike than such tests assume. For those,
a bit of the event number's hash, independent of the fold, divides the events: one half is scored by
models that have trained on it, the other by models that have not. Both are scored by the models of
all folds to the same share, so that differences between those do not tell the halves apart.
"""

from collections.abc import Sequence

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from rootflow.dataset.folds import mix
from rootflow.dataset.weights import effective_events
from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import (
    ClassOverTraining,
    HypothesisTest,
    OverTraining,
    RankingInTraining,
)
from rootflow.evaluation.results import Histogram, histogram

# Each bin of a chi2 test needs as many in either histogram for chi2 to be what it is called.
EFFECTIVE_EVENTS_PER_BIN = 10.0


def over_training(
    scores: FloatArray,
    in_training: FloatArray,
    events: Labelled,
    edges: Sequence[float],
    ranking: RankingInTraining,
) -> OverTraining:
    """Return the scores in training and unseen of signal and background, and their tests."""
    chosen, weight = training_half(events.events.fold_numbers), events.weight

    def of(among: NDArray[np.bool_]) -> ClassOverTraining:
        train, test = among & chosen, among & ~chosen
        histograms = (
            histogram(in_training, weight, edges, train),
            histogram(scores, weight, edges, test),
        )
        distance = kolmogorov_smirnov(in_training[train], weight[train], scores[test], weight[test])
        return ClassOverTraining(*histograms, distance, chi2(*histograms))

    return OverTraining(ranking, of(events.signal), of(events.background))


def training_half(event_number: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Return (n,) the highest bit of the twice mixed number; folds are of the once mixed one."""
    return np.asarray(mix(mix(event_number.astype(np.uint64))) >> np.uint64(63) == 1)


def kolmogorov_smirnov(
    one: FloatArray, one_weight: FloatArray, other: FloatArray, other_weight: FloatArray
) -> HypothesisTest | None:
    """Test that two weighted samples, (n,) and (m,), are of one distribution.

    The statistic is the largest distance of the two weighted distribution functions. Its
    p-value is that of unweighted samples with n m / (n + m) as large, where n and m are
    effective numbers of events, (sum w)^2 / sum(w^2): right for weights that do not depend
    on the value (J. Monahan, Numerical Methods of Statistics, 2nd edition, 2011, p. 358).
    None where a sample has no positive sum of weights, or is worth less than one event.
    """
    if np.sum(one_weight) <= 0 or np.sum(other_weight) <= 0:
        return None
    values = np.concatenate([one, other])
    order = np.argsort(values, kind="stable")
    steps = np.concatenate([one_weight / np.sum(one_weight), -other_weight / np.sum(other_weight)])
    distances = np.abs(np.cumsum(steps[order]))
    ends = np.append(np.diff(values[order]) > 0, True)
    distance = float(np.max(distances[ends]))
    sizes = effective_events(one_weight), effective_events(other_weight)
    together = round(sizes[0] * sizes[1] / sum(sizes))
    if together < 1:
        return None
    return HypothesisTest(distance, None, float(scipy.stats.kstwo.sf(distance, together)))


def chi2(one: Histogram, other: Histogram) -> HypothesisTest | None:
    """Test that two weighted histograms are of one shape.

    sum over m bins of (W1 w2 - W2 w1)^2 / (W1^2 s2^2 + W2^2 s1^2), w being the sum of
    weights in a bin, s^2 that of their squares and W that of all bins; m - 1 degrees of
    freedom. N. Gagunashvili, "Comparison of weighted and unweighted histograms",
    arXiv:physics/0605123, the test for two weighted histograms. Neighbouring bins are
    merged until each has ten effective events in either histogram; None where that leaves fewer
    than two.
    """
    merged = _merge(
        np.array([one.weights, one.squared_weights, other.weights, other.squared_weights])
    )
    if merged.shape[1] < 2:
        return None
    w1, v1, w2, v2 = merged
    total1, total2 = np.sum(w1), np.sum(w2)
    statistic = float(np.sum((total1 * w2 - total2 * w1) ** 2 / (total1**2 * v2 + total2**2 * v1)))
    freedom = len(w1) - 1
    return HypothesisTest(statistic, freedom, float(scipy.stats.chi2.sf(statistic, freedom)))


def _merge(sums: FloatArray) -> FloatArray:
    """Return (4, bins) summed from the left until there is enough; the rest joins the last."""
    merged: list[FloatArray] = []
    collected = np.zeros(4)
    for column in sums.T:
        collected = collected + column
        w1, v1, w2, v2 = collected
        enough = min(w1, w2) > 0 and min(w1**2 / v1, w2**2 / v2) >= EFFECTIVE_EVENTS_PER_BIN
        if enough:
            merged.append(collected)
            collected = np.zeros(4)
    if merged:
        merged[-1] = merged[-1] + collected
    return np.array(merged).reshape(-1, 4).T
