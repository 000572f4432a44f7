"""Whether a score is the probability of signal."""

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray, Replicated
from rootflow.evaluation.classification.results import Calibration
from rootflow.evaluation.classification.sums import SumsInBins
from rootflow.evaluation.results import plain


class Reliability:
    """Share of signal (n,) in k bins of the score (n,), calibration error and Brier score.

    Signal and background are scaled to the same sum of weights, in each replica anew: so
    training presents them, and a score above 1/2 then says that signal is more probable.
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
