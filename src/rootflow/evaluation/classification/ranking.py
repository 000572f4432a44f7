"""How well a score ranks signal above background, is a probability, and tells classes apart."""

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from rootflow.dataset.folds import mix
from rootflow.dataset.weights import effective_events
from rootflow.evaluation.bootstrap import FloatArray, Replicated, Statistic, ratio
from rootflow.evaluation.classification.labelled import Labelled, SumsBelow, SumsInBins, spectrum
from rootflow.evaluation.classification.results import (
    Calibration,
    Classes,
    ClassOverTraining,
    HypothesisTest,
    OneAgainstRest,
    OverTraining,
    PartOfEvents,
    Ranking,
    RankingInTraining,
    Rejection,
    Roc,
)
from rootflow.evaluation.paired import paired
from rootflow.evaluation.results import Histogram, histogram, plain

# Of the curve, and those at which its rejections are quoted.
SIGNAL_EFFICIENCIES = np.linspace(0, 1, 101)
QUOTED_EFFICIENCIES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
# What areas are called: before the name of one of several backgrounds, and of events in training.
AGAINST, IN_TRAINING = "auc_against_", "auc_training"
# Each bin of a chi2 test needs as many in either histogram for chi2 to be what it is called.
EFFECTIVE_EVENTS_PER_BIN = 10.0


class _Ordered:
    """Sums of signal and of background (n,), by default all else, up to each distinct score."""

    def __init__(
        self,
        scores: FloatArray,
        signal: NDArray[np.bool_],
        background: NDArray[np.bool_] | None = None,
    ) -> None:
        background = ~signal if background is None else background
        distinct = np.unique(scores[signal | background])
        self._below = [
            SumsBelow(scores, among, distinct, "right") for among in (signal, background)
        ]

    def sums(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return two (replicas, distinct + 1), the first column zero."""
        signal, background = (np.pad(below(weights), ((0, 0), (1, 0))) for below in self._below)
        return signal, background


class AreaUnderCurve(_Ordered):
    """The probability that an event of signal has a higher score than one of background.

    sum over pairs of w_s w_b (1 if above, 1/2 if equal) / (sum w_s sum w_b): the
    Mann-Whitney statistic (J. Hanley, B. McNeil, Radiology 143 (1982) 29) with weights.
    Negative weights count as they are, which leaves the estimate unbiased; it can then be
    outside [0, 1]. NaN where a class has no positive sum of weights.
    """

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 1)."""
        signal, background = self.sums(weights)
        below = (background[:, 1:] + background[:, :-1]) / 2
        pairs = np.einsum("rk,rk->r", np.diff(signal, axis=1), below)
        every_pair = np.maximum(signal[:, -1], 0) * background[:, -1]
        return ratio(pairs, every_pair)[:, np.newaxis]


class BackgroundEfficiencies(_Ordered):
    """Background efficiency at given signal efficiencies, and its reciprocals at others.

    Between two distinct scores the curve is a straight line. Where negative weights make
    the signal efficiency fall as the cut gets looser, it stays at what it has been.
    """

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, efficiencies + rejections); a rejection may be infinite."""
        asked = np.array([*SIGNAL_EFFICIENCIES, *QUOTED_EFFICIENCIES])
        found = np.array([_curve(*sums, asked) for sums in zip(*self.sums(weights), strict=True)])
        quoted = len(QUOTED_EFFICIENCIES)
        with np.errstate(divide="ignore"):
            found[:, -quoted:] = 1 / np.maximum(found[:, -quoted:], 0)
        return found


def _curve(signal: FloatArray, background: FloatArray, asked: FloatArray) -> FloatArray:
    if signal[-1] <= 0 or background[-1] <= 0:
        return np.full(len(asked), np.nan)
    passing = np.maximum.accumulate((signal[-1] - signal)[::-1] / signal[-1])
    efficiency = (background[-1] - background)[::-1] / background[-1]
    return np.asarray(np.interp(asked, passing, efficiency))


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


class RankingQuestion:
    """What the bootstrap is asked of how a score ranks some events, and what it found.

    Scores (n,) are of models that have not trained on the event, and of those that have: NaN where
    none has. `ending` is behind the names of the statistics, which tells these events from others.
    """

    def __init__(
        self, scores: FloatArray, in_training: FloatArray, events: Labelled, ending: str = ""
    ) -> None:
        signal, background = events.signal, events.background
        self._ending, self._events = ending, events
        self._scores, self._in_training = scores, in_training
        self.auc = AreaUnderCurve(scores, signal, background)
        asked: dict[str, Statistic] = {
            "auc": self.auc,
            "roc": BackgroundEfficiencies(scores, signal, background),
        }
        against = {
            f"{AGAINST}{name}": AreaUnderCurve(scores, signal, among)
            for name, among in events.of_kind("background").items()
            if np.sum(events.weight[among]) > 0
        }
        if len(against) > 1:
            asked |= against
        if not np.all(np.isnan(in_training)):
            asked[IN_TRAINING] = AreaUnderCurve(in_training, signal, background)
        self.statistics = {f"{name}{ending}": statistic for name, statistic in asked.items()}

    def answer(self, replicated: Mapping[str, Replicated], edges: Sequence[float]) -> PartOfEvents:
        """Return how unseen events are ranked, and how much better than those in training.

        The edges are of the scores in both. The error of the difference is that of both areas in
        the same replicas.
        """
        found = {name.removesuffix(self._ending): replicated[name] for name in self.statistics}
        roc, points = found["roc"], len(SIGNAL_EFFICIENCIES)
        exists = np.isfinite(roc.values) & np.isfinite(roc.errors)
        ranking = Ranking(
            auc=found["auc"].estimate(),
            auc_against={
                name.removeprefix(AGAINST): area.estimate()
                for name, area in found.items()
                if name.startswith(AGAINST)
            },
            roc=Roc(
                signal_efficiency=tuple(SIGNAL_EFFICIENCIES.tolist()),
                background_efficiency=tuple(roc.values[:points].tolist()),
                errors=tuple(roc.errors[:points].tolist()),
            ),
            rejections=tuple(
                Rejection(at, roc.estimate(place) if exists[place] else None)
                for place, at in enumerate(QUOTED_EFFICIENCIES, start=points)
            ),
        )
        if IN_TRAINING not in found:
            return PartOfEvents(self._ending, ranking, None)
        excess = paired(found[IN_TRAINING], found["auc"])
        trained = RankingInTraining(found[IN_TRAINING].estimate(), excess.gain, excess.p_value)
        return PartOfEvents(self._ending, ranking, self._over_training(trained, edges))

    def _over_training(self, ranking: RankingInTraining, edges: Sequence[float]) -> OverTraining:
        """Return the scores in training and unseen of signal and background, and their tests.

        How well either kind of score ranks is compared event by event. Tests of two samples cannot
        do that: samples that share events are more alike than such tests assume. For those, a bit
        of the event number's hash, independent of the fold, divides the events: one half is scored
        by models that have trained on it, the other by models that have not. Both are scored by the
        models of all folds to the same share, so that differences between those do not tell the
        halves apart.
        """
        events, weight = self._events, self._events.events.weight
        chosen = training_half(events.events.fold_numbers)

        def of(among: NDArray[np.bool_]) -> ClassOverTraining:
            train, test = among & chosen, among & ~chosen
            seen, unseen = self._in_training, self._scores
            histograms = (
                histogram(seen, weight, edges, train),
                histogram(unseen, weight, edges, test),
            )
            distance = kolmogorov_smirnov(seen[train], weight[train], unseen[test], weight[test])
            return ClassOverTraining(*histograms, distance, chi2(*histograms))

        return OverTraining(ranking, of(events.signal), of(events.background))


class ConfusionMatrix:
    """Weighted share of the events of each of k classes that are given each class.

    That is the one of the highest probability (n, k), of equals the first; labels (n,) may be
    negative for none.
    """

    def __init__(self, label: NDArray[np.int64], probabilities: FloatArray) -> None:
        count = probabilities.shape[1]
        self._among = np.flatnonzero(label >= 0)
        self._cells = (label * count + np.argmax(probabilities, axis=1))[self._among]
        self._count = count

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, k * k), NaN in rows without a positive sum of weights."""
        cells = self._count**2
        sums = [np.bincount(self._cells, weight[self._among], cells) for weight in weights]
        found = np.array(sums, np.float64).reshape(len(weights), self._count, self._count)
        return ratio(found, found.sum(axis=2, keepdims=True)).reshape(len(weights), cells)


class ClassQuestion:
    """One AUC of each class, by probabilities (n, k), against all others, and the confusion."""

    def __init__(self, probabilities: FloatArray, labelled: Labelled) -> None:
        self._probabilities, self._labelled = probabilities, labelled
        simulated = ~labelled.data
        of_simulation, label = probabilities[simulated], labelled.label[simulated]
        self.statistics: dict[str, Statistic] = {
            f"auc_of_{name}": AreaUnderCurve(
                of_simulation[:, place], label == place, (label >= 0) & (label != place)
            )
            for place, name in enumerate(labelled.classes)
        }
        self.statistics["confusion"] = ConfusionMatrix(label, of_simulation)

    def answer(self, found: Mapping[str, Replicated], edges: Sequence[float]) -> Classes:
        """Return what was found, with the probabilities of all events, data too."""
        names, confusion = self._labelled.classes, found["confusion"]
        return Classes(
            tuple(
                OneAgainstRest(
                    name,
                    found[f"auc_of_{name}"].estimate(),
                    spectrum(self._probabilities[:, place], self._labelled, edges),
                )
                for place, name in enumerate(names)
            ),
            tuple(
                tuple(confusion.estimate(row * len(names) + column) for column in range(len(names)))
                for row in range(len(names))
            ),
        )


class Reliability:
    """Share of signal (n,) in k bins of the score (n,), calibration error and Brier score.

    Signal and background are scaled to the same sum of weights, as in training, in each replica.
    Expected calibration error: M. Naeini, G. Cooper, M. Hauskrecht, AAAI 2015, p. 2901.
    Brier score: G. Brier, Monthly Weather Review 78 (1950) 1, of one of two outcomes.
    """

    def __init__(self, scores: FloatArray, signal: NDArray[np.bool_], edges: FloatArray) -> None:
        classes, whole = (signal, ~signal), [edges[0], edges[-1]]
        self._bins = [SumsInBins(scores, among, edges) for among in classes]
        self._all = [SumsInBins(scores, among, whole) for among in classes]
        self._scores = scores
        self._squares = (scores - signal) ** 2
        self._edges = edges

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 3 k + 2): reliabilities, mean scores, shares, error, Brier score."""
        with np.errstate(divide="ignore", invalid="ignore"):
            halves = [0.5 / of_class(weights) for of_class in self._all]

            def balanced(sums: list[SumsInBins], *times: FloatArray) -> list[FloatArray]:
                pairs = zip(sums, halves, strict=True)
                return [of_class(weights, *times) * half for of_class, half in pairs]

            signal, background = balanced(self._bins)
            scores = np.add(*balanced(self._bins, self._scores))
            squares = np.add(*balanced(self._all, self._squares))
            total = signal + background
            reliability, mean_score = (
                np.where(total > 0, each / total, np.nan) for each in (signal, scores)
            )
            distances = np.where(total > 0, np.abs(signal - scores), 0)
        error = np.sum(distances, axis=1, keepdims=True)
        return np.concatenate([reliability, mean_score, total, error, squares], axis=1)

    def answer(self, found: Replicated) -> Calibration:
        """Return what was found of it as plain data."""
        bins = len(self._edges) - 1
        return Calibration(
            reliability=found.part(slice(bins)).binned(self._edges.tolist()),
            mean_scores=plain(found.values[bins : 2 * bins]),
            shares=tuple(found.values[2 * bins : 3 * bins].tolist()),
            expected_calibration_error=found.estimate(-2),
            brier_score=found.estimate(-1),
        )
