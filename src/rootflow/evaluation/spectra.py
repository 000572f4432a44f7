"""Histograms of each process, and counts of data with their intervals."""

from collections.abc import Sequence

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.estimate import Estimate
from rootflow.evaluation.bootstrap import LOWER_QUANTILE, FloatArray
from rootflow.evaluation.results import Counts, Histogram, Kind, Process


def histogram(
    values: NDArray[np.floating],
    weight: FloatArray,
    edges: Sequence[float],
    among: NDArray[np.bool_],
) -> Histogram:
    """Return the weighted histogram of the values of the events `among`."""
    values, weight = values[among].astype(np.float64), weight[among]
    sums, _ = np.histogram(values, bins=edges, weights=weight)
    squares, _ = np.histogram(values, bins=edges, weights=weight**2)
    total = float(np.sum(weight))
    return Histogram(tuple(edges), tuple(sums.tolist()), tuple(squares.tolist()), total)


def counts(values: NDArray[np.floating], edges: Sequence[float]) -> Counts:
    """Return how many values are in each bin, with central 68.27 % intervals (F. Garwood).

    The lower limit is half the quantile of a chi2 with 2n degrees of freedom, the upper one
    that with 2n + 2: Biometrika 28 (1936) 437.
    """
    found, _ = np.histogram(values.astype(np.float64), bins=edges)
    # A chi2 distribution needs a degree of freedom: the limit of none is set to zero.
    lower = scipy.stats.chi2.ppf(LOWER_QUANTILE, 2 * np.maximum(found, 1)) / 2
    upper = scipy.stats.chi2.isf(LOWER_QUANTILE, 2 * found + 2) / 2
    return Counts(
        tuple(edges),
        tuple(found.tolist()),
        tuple(np.where(found > 0, lower, 0).tolist()),
        tuple(upper.tolist()),
    )


def expected(weight: FloatArray) -> Estimate:
    """Return the sum of weights (n,) with the square root of the sum of their squares."""
    return Estimate(float(np.sum(weight)), float(np.sqrt(np.sum(weight**2))))


def process_of(sample: Sample, kind: Kind, weight: FloatArray) -> Process:
    """Return a sample by the weights (n,) of its events; of data nothing is expected."""
    found = None if kind == "data" else expected(weight)
    return Process(sample.name, sample.title, kind, len(weight), found, sample.pseudo_data)


def varied_weights(events: Events) -> dict[str, FloatArray]:
    """Return (n,) weights by the name of the variation; empty where events have none."""
    varied = events.systematic_weights
    return {} if varied is None else {name: varied[name] for name in varied.dtype.names or ()}
