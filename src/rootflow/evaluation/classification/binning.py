"""Edges of the bins of score and observable."""

import numpy as np

from rootflow.config import ClassificationEvaluationConfig
from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.classification.labelled import EFFECTIVE_EVENTS_MIN, Labelled
from rootflow.evaluation.classification.sums import SumsInBins


def score_edges(config: ClassificationEvaluationConfig) -> FloatArray:
    """Return edges from 0 to 1 of bins of the same width."""
    return np.linspace(0, 1, config.score_bins + 1)


def observable_edges(config: ClassificationEvaluationConfig) -> list[float]:
    """Return edges of the configured window of the observable; empty without one."""
    if config.observable_window is None:
        return []
    edges: list[float] = np.linspace(*config.observable_window, config.observable_bins + 1).tolist()
    return edges


def quantile_edges(scores: FloatArray, labelled: Labelled, bins: int) -> FloatArray:
    """Return edges from 0 to 1 of bins with the same expected background, or fewer for ties.

    None is without events.
    """
    background = labelled.background
    order = np.argsort(scores[background], kind="stable")
    cumulative = np.cumsum(labelled.weight[background][order])
    shares = np.arange(1, bins) / bins * cumulative[-1]
    rising = scores[background][order]
    inner = np.unique(rising[np.argmax(cumulative >= shares[:, np.newaxis], axis=1)])
    return np.array([0.0, *inner[(inner > rising[0]) & (inner < 1)], 1.0])


def fit_edges(scores: FloatArray, labelled: Labelled, bins: int) -> FloatArray:
    """Return edges from 0 to 1 of at most so many bins, each with enough background.

    Bins hold the same simulated signal; neighbours are merged, from the highest score down,
    until each has 25 effective events of background and no process a negative sum.
    """
    shares = np.arange(1, bins) / bins
    inner = np.unique(np.quantile(scores[labelled.signal], shares, method="inverted_cdf"))
    limits = np.array([0.0, *inner[(inner > 0) & (inner < 1)], 1.0])
    sample = labelled.weight[np.newaxis]
    processes = np.array(
        [SumsInBins(scores, among, limits)(sample)[0] for among in labelled.simulated.values()]
    )
    background = SumsInBins(scores, labelled.background, limits)
    sums = background(sample)[0]
    squares = background(sample, labelled.weight)[0]
    edges, high = [1.0], len(limits) - 1
    for low in range(high - 1, -1, -1):
        between = slice(low, high)
        total, variance = np.sum(sums[between]), np.sum(squares[between])
        enough = total > 0 and total**2 >= EFFECTIVE_EVENTS_MIN * variance
        if enough and np.all(np.sum(processes[:, between], axis=1) >= 0):
            edges.append(float(limits[low]))
            high = low
    # What is left at low scores joins the last bin, and that its neighbour while a sum is negative.
    while len(edges) > 2 and np.any(np.sum(processes[:, : list(limits).index(edges[-2])], 1) < 0):
        edges.pop(-2)
    return np.array([0.0, *edges[-2 if len(edges) > 1 else -1 :: -1]])
