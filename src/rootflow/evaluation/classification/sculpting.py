"""Whether a cut on the score changes the shape of the background's observable."""

from collections.abc import Sequence

import numpy as np
import scipy.spatial.distance
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray, Replicated
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import Divergence, Sculpting
from rootflow.evaluation.results import Estimate
from rootflow.evaluation.spectra import histogram


class Divergences:
    """Jensen-Shannon divergence of values in each of k score bins from the inclusive one.

    J. Lin, IEEE Trans. Inf. Theory 37 (1991) 145, with the logarithm to base 2. A bin
    of values with a negative sum of weights counts as empty.

    Parameters
    ----------
    score_bins
        (n,) 0 to k - 1; -1 for events that do not count.
    values
        (n,).
    edges
        Of the bins of the values; events outside do not count.
    """

    def __init__(
        self, score_bins: NDArray[np.int64], values: FloatArray, edges: Sequence[float]
    ) -> None:
        bins = np.digitize(values, edges) - 1
        inside = (score_bins >= 0) & (bins >= 0) & (bins < len(edges) - 1)
        self._index = np.flatnonzero(inside)
        self._score_bins, self._bins = score_bins[inside], bins[inside]
        self._shape = (int(np.max(score_bins)) + 1, len(edges) - 1)

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, k); NaN where a bin has no event."""
        chosen = np.take(weights, self._index, axis=1)
        return np.array([self._divergences(self._score_bins, weight) for weight in chosen])

    def permuted(self, weight: FloatArray, permutations: int, seed: int) -> FloatArray:
        """Return (permutations, k): the same with scores and values of different events."""
        random = np.random.default_rng(seed)
        chosen = weight[self._index]
        return np.array(
            [
                self._divergences(random.permutation(self._score_bins), chosen)
                for _ in range(permutations)
            ]
        )

    def _divergences(self, score_bins: NDArray[np.int64], weight: FloatArray) -> FloatArray:
        cells = score_bins * self._shape[1] + self._bins
        sums = np.bincount(cells, weight, self._shape[0] * self._shape[1]).reshape(self._shape)
        inclusive = np.maximum(np.sum(sums, axis=0), 0)
        sums = np.maximum(sums, 0)
        found = np.full(len(sums), np.nan)
        filled = np.sum(sums, axis=1) > 0
        distances = scipy.spatial.distance.jensenshannon(
            sums[filled], inclusive[np.newaxis], base=2, axis=1
        )
        found[filled] = distances**2
        return found


def sculpting(
    statistic: Replicated,
    without_dependence: FloatArray,
    score_bins: NDArray[np.int64],
    score_edges: FloatArray,
    values: FloatArray,
    simulation: Labelled,
    edges: Sequence[float],
) -> Sculpting:
    """Return the spectra in each bin of the score and what their divergences mean.

    A divergence of finite samples is positive for equal shapes, too: permutations of the
    scores among the events say by how much and how often.

    Parameters
    ----------
    statistic
        `Divergences`, of the sample and in replicas.
    without_dependence
        (permutations, k) of its permutations.
    score_bins, score_edges
        (n,) of `background_bins`, and the edges of `quantile_edges`.
    values
        (n,) of the observable.
    simulation
        The n events.
    edges
        Of the histograms.
    """
    found = []
    for place, expected in enumerate(without_dependence.T):
        value = statistic.estimate(place)
        as_large = int(np.sum(expected >= value.value))
        found.append(
            Divergence(
                value=value,
                expected=Estimate(float(np.mean(expected)), float(np.std(expected, ddof=1))),
                p_value=(1 + as_large) / (1 + len(expected)),
            )
        )
    return Sculpting(
        score_edges=tuple(score_edges.tolist()),
        observable=tuple(
            histogram(values, simulation.weight, edges, score_bins == place)
            for place in range(len(score_edges) - 1)
        ),
        inclusive=histogram(values, simulation.weight, edges, simulation.background),
        divergences=tuple(found),
    )


def background_bins(
    scores: FloatArray, edges: FloatArray, simulation: Labelled
) -> NDArray[np.int64]:
    """Return (n,) the bin of the score, -1 for what is no background."""
    number = np.minimum(np.digitize(scores, edges) - 1, len(edges) - 2)
    return np.where(simulation.background, number, -1)
