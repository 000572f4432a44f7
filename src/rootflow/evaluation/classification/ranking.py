"""How well a score ranks signal above background, is a probability, and tells classes apart."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray, Replicated, Statistic, ratio
from rootflow.evaluation.classification.labelled import Labelled, SumsBelow, SumsInBins, spectrum
from rootflow.evaluation.classification.over_training import over_training
from rootflow.evaluation.classification.results import (
    Calibration,
    Classes,
    OneAgainstRest,
    PartOfEvents,
    Ranking,
    RankingInTraining,
    Rejection,
    Roc,
)
from rootflow.evaluation.paired import paired
from rootflow.evaluation.results import plain

# Of the curve, and those at which its rejections are quoted.
SIGNAL_EFFICIENCIES = np.linspace(0, 1, 101)
QUOTED_EFFICIENCIES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)
# What areas are called: before the name of one of several backgrounds, and of events in training.
AGAINST, IN_TRAINING = "auc_against_", "auc_training"


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
        scores = self._scores, self._in_training
        return PartOfEvents(
            self._ending, ranking, over_training(*scores, self._events, edges, trained)
        )


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
