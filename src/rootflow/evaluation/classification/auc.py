"""The area under the ROC curve, the curve itself, and which model ranks better."""

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.classification.sums import SumsBelow

# Of the curve, and those at which its rejections are quoted.
SIGNAL_EFFICIENCIES = np.linspace(0, 1, 101)
QUOTED_EFFICIENCIES = (0.3, 0.5, 0.7, 0.8, 0.9, 0.95)


class _Ordered:
    """Sums of signal and of background up to each distinct score, from the lowest on."""

    def __init__(
        self,
        scores: FloatArray,
        signal: NDArray[np.bool_],
        background: NDArray[np.bool_] | None = None,
    ) -> None:
        background = ~signal if background is None else background
        distinct = np.unique(scores[signal | background])
        self._signal = SumsBelow(scores, signal, distinct, "right")
        self._background = SumsBelow(scores, background, distinct, "right")

    def sums(self, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return two (replicas, distinct + 1), the first column zero."""
        start = ((0, 0), (1, 0))
        return np.pad(self._signal(weights), start), np.pad(self._background(weights), start)


class AreaUnderCurve(_Ordered):
    """The probability that an event of signal has a higher score than one of background.

    sum over pairs of w_s w_b (1 if above, 1/2 if equal) / (sum w_s sum w_b): the
    Mann-Whitney statistic (J. Hanley, B. McNeil, Radiology 143 (1982) 29) with weights.
    Negative weights count as they are, which leaves the estimate unbiased; it can then be
    outside [0, 1]. NaN where a class has no positive sum of weights.

    Parameters
    ----------
    scores
        (n,).
    signal
        (n,) bool.
    background
        (n,) bool; none: all that is not signal.
    """

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 1)."""
        signal, background = self.sums(weights)
        below = (background[:, 1:] + background[:, :-1]) / 2
        pairs = np.einsum("rk,rk->r", np.diff(signal, axis=1), below)
        return _ratio(pairs, signal[:, -1] * background[:, -1], signal[:, -1] > 0)[:, np.newaxis]


class Drop:
    """The area under one curve less that under another, of the same events."""

    def __init__(self, area: AreaUnderCurve, other: AreaUnderCurve) -> None:
        self._area, self._other = area, other

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 1)."""
        return self._area(weights) - self._other(weights)


class BackgroundEfficiencies(_Ordered):
    """Background efficiency at given signal efficiencies, and its reciprocals at others.

    Between two distinct scores the curve is a straight line. Where negative weights make
    the signal efficiency fall as the cut gets looser, it stays at what it has been.

    Parameters
    ----------
    scores, signal, background
        As of `AreaUnderCurve`.
    """

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, efficiencies + rejections); a rejection may be infinite."""
        signal, background = self.sums(weights)
        asked = np.array([*SIGNAL_EFFICIENCIES, *QUOTED_EFFICIENCIES])
        found = np.array([_curve(s, b, asked) for s, b in zip(signal, background, strict=True)])
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


def _ratio(
    numerator: FloatArray, denominator: FloatArray, existing: NDArray[np.bool_]
) -> FloatArray:
    ratio = np.full(len(numerator), np.nan)
    np.divide(numerator, denominator, out=ratio, where=existing & (denominator > 0))
    return ratio
