"""Whether a score is the probability of signal."""

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray, Replicated
from rootflow.evaluation.classification.results import Calibration
from rootflow.evaluation.classification.sums import SumsInBins
from rootflow.evaluation.results import plain


class Reliability:
    """Share of signal in bins of the score, calibration error and Brier score.

    Signal and background are scaled to the same sum of weights, in each replica anew: so
    training presents them, and a score above 1/2 then says that signal is more probable.
    Expected calibration error: M. Naeini, G. Cooper, M. Hauskrecht, AAAI 2015, p. 2901.
    Brier score: G. Brier, Monthly Weather Review 78 (1950) 1, of one of two outcomes.

    Parameters
    ----------
    scores
        (n,).
    signal
        (n,) bool; the others are background.
    edges
        (k + 1,) of the bins.
    """

    def __init__(self, scores: FloatArray, signal: NDArray[np.bool_], edges: FloatArray) -> None:
        everything = [edges[0], edges[-1]]
        self._bins = [SumsInBins(scores, among, edges) for among in (signal, ~signal)]
        self._all = [SumsInBins(scores, among, everything) for among in (signal, ~signal)]
        self._scores = scores
        self._squares = (scores - signal) ** 2

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 3 k + 2): reliabilities, mean scores, shares, error, Brier score."""
        with np.errstate(divide="ignore", invalid="ignore"):
            halves = [0.5 / sums(weights) for sums in self._all]
            signal, background = (
                sums(weights) * half for sums, half in zip(self._bins, halves, strict=True)
            )
            scores = sum(
                sums(weights, self._scores) * half
                for sums, half in zip(self._bins, halves, strict=True)
            )
            squares = sum(
                sums(weights, self._squares) * half
                for sums, half in zip(self._all, halves, strict=True)
            )
            total = signal + background
            existing = total > 0
            reliability = np.where(existing, signal / total, np.nan)
            mean_score = np.where(existing, scores / total, np.nan)
            distances = np.where(existing, np.abs(signal - scores), 0)
        error = np.sum(distances, axis=1, keepdims=True)
        return np.concatenate([reliability, mean_score, total, error, squares], axis=1)


def calibration(found: Replicated, edges: FloatArray) -> Calibration:
    """Return what was found of `Reliability` as plain data."""
    bins = len(edges) - 1
    return Calibration(
        reliability=found.part(slice(bins)).binned(edges.tolist()),
        mean_scores=plain(found.values[bins : 2 * bins]),
        shares=tuple(found.values[2 * bins : 3 * bins].tolist()),
        expected_calibration_error=found.estimate(-2),
        brier_score=found.estimate(-1),
    )
