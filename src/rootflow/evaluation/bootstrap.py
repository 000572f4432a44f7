"""Statistical errors by the Poisson bootstrap, many statistics at once.

A replica of the sample multiplies the weight of each event by a number drawn from the
Poisson distribution of mean 1; the error of a statistic is its standard deviation over the
replicas. Sources: ATLAS Collaboration, "Evaluating statistical uncertainties and
correlations using the bootstrap method", ATL-PHYS-PUB-2021-011; G. Bohm and G. Zech,
"Statistics of weighted Poisson events and its applications", arXiv:1309.1287.

All statistics see the same replicas, so their errors are correlated as the events are.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr

from rootflow.progress import progress

FloatArray = NDArray[np.float64]

# Of replica weights held at a time: what a core keeps in its cache.
WEIGHTS_AT_ONCE = 100_000

# The central interval of a Gaussian within one standard deviation.
LOWER_QUANTILE, UPPER_QUANTILE = 0.158655254, 0.841344746

# Poisson numbers of mean 1 at evenly spaced points of their cumulative distribution: a look
# into this table is ten times as fast as a draw, and right to 2^-17 in every probability.
POISSON = np.searchsorted(pdtr(np.arange(16), 1.0), (np.arange(2**16) + 0.5) / 2**16).astype(
    np.uint8
)


class Estimates(NamedTuple):
    """k values of a statistic and their errors, each (k,); NaN where there is none."""

    values: FloatArray
    errors: FloatArray


class Statistic(Protocol):
    """k numbers that depend on the weights of n events."""

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, k) for weights (replicas, n)."""


def estimate(
    statistics: Mapping[str, Statistic], weight: FloatArray, replicas: int, seed: int
) -> dict[str, Estimates]:
    """Return every statistic of the sample with its bootstrap error.

    Parameters
    ----------
    statistics
        What is asked, by name.
    weight
        (n,) weights of the events.
    replicas
        How many replicas there are.
    seed
        Of the replicas.
    """
    return estimates_of(statistics, replicate(statistics, weight, replicas, seed), weight)


def replicate(
    statistics: Mapping[str, Statistic], weight: FloatArray, replicas: int, seed: int
) -> dict[str, FloatArray]:
    """Return every statistic in every replica, (replicas, k); parameters as of `estimate`."""
    in_replicas: dict[str, list[FloatArray]] = {name: [] for name in statistics}
    with progress("bootstrap", replicas, "replicas") as advance:
        for weights in _replica_weights(weight, replicas, seed):
            for name, statistic in statistics.items():
                in_replicas[name].append(statistic(weights))
            advance(len(weights))
    return {name: np.concatenate(found) for name, found in in_replicas.items()}


def estimates_of(
    statistics: Mapping[str, Statistic], replicated: Mapping[str, FloatArray], weight: FloatArray
) -> dict[str, Estimates]:
    """Return every statistic of the sample with its bootstrap error, from its replicas."""
    sample = weight[np.newaxis]
    return {
        name: Estimates(statistic(sample)[0], standard_deviation(replicated[name]))
        for name, statistic in statistics.items()
    }


def _replica_weights(weight: FloatArray, replicas: int, seed: int) -> Iterator[FloatArray]:
    random = np.random.default_rng(seed)
    at_once = max(1, WEIGHTS_AT_ONCE // len(weight))
    for start in range(0, replicas, at_once):
        shape = (min(at_once, replicas - start), len(weight))
        yield POISSON[random.integers(0, len(POISSON), shape, dtype=np.uint16)] * weight


def standard_deviation(replicas: FloatArray) -> FloatArray:
    """Return (k,) of (replicas, k), over those replicas in which the statistic exists."""
    existing = np.ma.masked_invalid(replicas)
    return np.asarray(np.ma.filled(existing.std(axis=0, ddof=1), np.nan))


def better_p_value(differences: FloatArray) -> float:
    """Return the p-value of one model being no better than another.

    (1 + number of replicas in which it is not) / (1 + replicas): A. C. Davison and
    D. V. Hinkley, "Bootstrap Methods and their Application", Cambridge 1997, eq. 4.11; so
    it is never below 1 / (1 + replicas). A replica without a difference says nothing for it.

    Parameters
    ----------
    differences
        (replicas,) by how much it is better, on the same replicas; NaN where there is none.
    """
    return float((1 + np.sum(~(differences > 0))) / (1 + len(differences)))
