"""Expected discovery significances in closed form."""

import numpy as np
from numpy.typing import ArrayLike

from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.sums import SumsInBins


def asimov(signal: ArrayLike, background: ArrayLike) -> FloatArray:
    """Return the median significance of a discovery, the background known exactly.

    sqrt(2 ((s + b) ln(1 + s/b) - s)): G. Cowan, K. Cranmer, E. Gross, O. Vitells,
    Eur. Phys. J. C 71 (2011) 1554, arXiv:1007.1727, eq. 97. NaN where the background is not
    positive; zero where the signal is not.

    Parameters
    ----------
    signal, background
        Expected events, any shapes that broadcast.
    """
    return asimov_with_uncertainty(signal, background, 0.0)


def asimov_with_uncertainty(
    signal: ArrayLike, background: ArrayLike, variance: ArrayLike
) -> FloatArray:
    """Return the median significance of a discovery, the background being uncertain.

    sqrt(2 ((s + b) ln[(s + b)(b + v) / (b^2 + (s + b) v)] - b^2/v ln[1 + v s / (b (b + v))]))
    with v the variance of b: G. Cowan, "Discovery sensitivity for a counting experiment with
    background uncertainty", 2012, eq. 20; the background is measured in a control region
    with as large an uncertainty. It is rewritten so that v may be zero, which gives eq. 97 of
    arXiv:1007.1727.

    Parameters
    ----------
    signal, background
        Expected events, any shapes that broadcast.
    variance
        Of the expected background: the square of its uncertainty in events.
    """
    s, b, v = np.broadcast_arrays(
        *(np.asarray(value, np.float64) for value in (signal, background, variance))
    )
    s = np.maximum(s, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (s + b) * np.log1p(s * b / (b**2 + (s + b) * v))
        argument = v * s / (b * (b + v))
        shrinkage = np.where(argument > 0, np.log1p(argument) / argument, 1.0)
        found = np.sqrt(2 * np.maximum(first - b * s / (b + v) * shrinkage, 0))
        return np.where(b > 0, found, np.nan)


def s_over_sqrt_b(signal: ArrayLike, background: ArrayLike) -> FloatArray:
    """Return the limit of `asimov` for a small signal; NaN where there is no background."""
    b = np.asarray(background, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b > 0, np.asarray(signal, np.float64) / np.sqrt(b), np.nan)


class BinnedSignificance:
    """The discovery significance of bins with known signal and background.

    sqrt(sum over bins of 2 ((s + b) ln(1 + s/b) - s)): arXiv:1007.1727, eq. 97, for
    independent bins.

    Parameters
    ----------
    scores
        (n,).
    labelled
        The n events.
    edges
        Of the bins.
    """

    def __init__(self, scores: FloatArray, labelled: Labelled, edges: FloatArray) -> None:
        self._signal = SumsInBins(scores, labelled.signal, edges)
        self._background = SumsInBins(scores, labelled.background, edges)

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 1); NaN where a bin has no background."""
        s, b = self._signal(weights), self._background(weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = np.where(b > 0, 2 * ((s + b) * np.log1p(s / b) - s), np.nan)
        return np.asarray(np.sqrt(np.maximum(np.sum(squares, axis=1, keepdims=True), 0)))
