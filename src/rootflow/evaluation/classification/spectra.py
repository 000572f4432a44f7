"""Weighted histograms of each process, and counts of data with their intervals."""

from collections.abc import Sequence

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import LOWER_QUANTILE, FloatArray
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import Counts, Spectrum, Yield
from rootflow.evaluation.results import Histogram


def spectrum(
    values: FloatArray, labelled: Labelled, edges: Sequence[float], among: NDArray[np.bool_]
) -> Spectrum:
    """Return the histogram of every process, and of data, of those events `among`.

    Parameters
    ----------
    values
        (n,).
    labelled
        The n events.
    edges
        Of the bins.
    among
        (n,) bool, the events that count.
    """
    simulated = {
        name: histogram(values, labelled.weight, edges, among & of_process)
        for name, of_process in labelled.simulated.items()
    }
    data = counts(values[among & labelled.data], edges) if labelled.has_data else None
    return Spectrum(tuple(edges), simulated, data)


def histogram(
    values: FloatArray, weight: FloatArray, edges: Sequence[float], among: NDArray[np.bool_]
) -> Histogram:
    """Return the weighted histogram of the values of the events `among`."""
    sums, _ = np.histogram(values[among], bins=edges, weights=weight[among])
    squares, _ = np.histogram(values[among], bins=edges, weights=weight[among] ** 2)
    return Histogram(
        tuple(edges), tuple(sums.tolist()), tuple(squares.tolist()), float(np.sum(weight[among]))
    )


def counts(values: FloatArray, edges: Sequence[float]) -> Counts:
    """Return how many values are in each bin, with central 68.27 % intervals (F. Garwood).

    The lower limit is half the quantile of a chi2 with 2n degrees of freedom, the upper one
    that with 2n + 2: Biometrika 28 (1936) 437.
    """
    found, _ = np.histogram(values, bins=edges)
    # A chi2 distribution needs a degree of freedom: the limit of none is set to zero.
    lower = scipy.stats.chi2.ppf(LOWER_QUANTILE, 2 * np.maximum(found, 1)) / 2
    upper = scipy.stats.chi2.isf(LOWER_QUANTILE, 2 * found + 2) / 2
    return Counts(
        tuple(edges),
        tuple(found.tolist()),
        tuple(np.where(found > 0, lower, 0).tolist()),
        tuple(upper.tolist()),
    )


def yields(labelled: Labelled, among: NDArray[np.bool_]) -> tuple[Yield, ...]:
    """Return how many events `among` there are of each process and what is expected of it."""
    found = []
    for sample, of_sample in labelled.by_sample:
        chosen = among & of_sample
        expected = None if sample.label == "data" else labelled.expected(chosen)
        found.append(Yield(sample.name, int(np.sum(chosen)), expected))
    return tuple(found)
