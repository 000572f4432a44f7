"""Arrays of estimates as plain data."""

from collections.abc import Sequence

import numpy as np

from rootflow.evaluation.bootstrap import Estimates, FloatArray
from rootflow.evaluation.results import Binned, Estimate


def plain(values: FloatArray) -> tuple[float | None, ...]:
    """Return the numbers, None for those that are not finite."""
    return tuple(float(value) if np.isfinite(value) else None for value in values)


def binned(estimates: Estimates, edges: Sequence[float]) -> Binned:
    """Return estimates, one per bin, as plain data."""
    return Binned(tuple(edges), plain(estimates.values), plain(estimates.errors))


def single(estimates: Estimates, at: int = 0) -> Estimate:
    """Return one of the values of a statistic with its error."""
    return Estimate(float(estimates.values[at]), float(estimates.errors[at]))
