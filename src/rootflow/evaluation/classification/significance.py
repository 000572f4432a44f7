"""Expected discovery significances in closed form."""

import numpy as np
from numpy.typing import ArrayLike

from rootflow.evaluation.bootstrap import FloatArray


def asimov(signal: ArrayLike, background: ArrayLike, variance: ArrayLike = 0.0) -> FloatArray:
    """Return the median significance of a discovery; `variance` is of the expected background.

    sqrt(2 ((s + b) ln[(s + b)(b + v) / (b^2 + (s + b) v)] - b^2/v ln[1 + v s / (b (b + v))]))
    with v the variance of b: G. Cowan, "Discovery sensitivity for a counting experiment with
    background uncertainty", 2012, eq. 20; the background is measured in a control region
    with as large an uncertainty. It is rewritten so that v may be zero, which gives
    sqrt(2 ((s + b) ln(1 + s/b) - s)): G. Cowan, K. Cranmer, E. Gross, O. Vitells, Eur. Phys. J. C
    71 (2011) 1554, arXiv:1007.1727, eq. 97. NaN where the background is not positive; zero where
    the signal is not.
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
