"""Arrays of estimates as plain data: what the classifiers still ask for."""

from collections.abc import Sequence

from rootflow.estimate import Estimate
from rootflow.evaluation.bootstrap import Estimates
from rootflow.evaluation.results import Binned
from rootflow.evaluation.results import plain as plain


def binned(estimates: Estimates, edges: Sequence[float]) -> Binned:
    """Return estimates, one per bin, as plain data."""
    return Binned(tuple(edges), plain(estimates.values), plain(estimates.errors))


def single(estimates: Estimates, at: int = 0) -> Estimate:
    """Return one of the values of a statistic with its error."""
    return Estimate(float(estimates.values[at]), float(estimates.errors[at]))
