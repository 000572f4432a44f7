"""Whether a cut on the score changes the shape of the background's observable."""

from collections.abc import Mapping, Sequence

import numpy as np
import scipy.spatial.distance
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray, Replicated, Statistic
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import Divergence, Sculpting
from rootflow.evaluation.results import Estimate
from rootflow.evaluation.spectra import histogram


class Divergences:
    """Jensen-Shannon divergence of values (n,) in each of k score bins from the inclusive one.

    J. Lin, IEEE Trans. Inf. Theory 37 (1991) 145, with the logarithm to base 2. A bin
    of values with a negative sum of weights counts as empty. The score bins (n,) are 0 to k - 1,
    or -1 for events that do not count, as those with values outside the edges.
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


class SculptingQuestion:
    """What the bootstrap is asked of the observable (n,) of background in bins of the score (n,).

    The bins hold the same background within `window` of the observable.
    """

    def __init__(
        self,
        scores: FloatArray,
        values: FloatArray,
        simulation: Labelled,
        bins: int,
        edges: Sequence[float],
    ) -> None:
        window = edges[0], edges[-1]
        self._score_edges = quantile_edges(scores, simulation.within(window), bins)
        self._bins = background_bins(scores, self._score_edges, simulation)
        self._values, self._simulation, self._edges = values, simulation, edges
        self._divergences = Divergences(self._bins, values, edges)
        self.statistics: dict[str, Statistic] = {"divergences": self._divergences}

    def answer(self, found: Mapping[str, Replicated], permutations: int, seed: int) -> Sculpting:
        """Return the spectra in each bin of the score and their divergences.

        Those of finite samples are positive for equal shapes, too: permutations of the scores among
        the events say by how much and how often.
        """
        weight, edges = self._simulation.weight, self._edges
        without_dependence = self._divergences.permuted(weight, permutations, seed)
        divergences = []
        for place, expected in enumerate(without_dependence.T):
            value = found["divergences"].estimate(place)
            as_large = int(np.sum(expected >= value.value))
            divergences.append(
                Divergence(
                    value=value,
                    expected=Estimate(float(np.mean(expected)), float(np.std(expected, ddof=1))),
                    p_value=(1 + as_large) / (1 + len(expected)),
                )
            )
        return Sculpting(
            score_edges=tuple(self._score_edges.tolist()),
            observable=tuple(
                histogram(self._values, weight, edges, self._bins == place)
                for place in range(len(self._score_edges) - 1)
            ),
            inclusive=histogram(self._values, weight, edges, self._simulation.background),
            divergences=tuple(divergences),
        )


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


def background_bins(
    scores: FloatArray, edges: FloatArray, simulation: Labelled
) -> NDArray[np.int64]:
    """Return (n,) the bin of the score, -1 for what is no background."""
    number = np.minimum(np.digitize(scores, edges) - 1, len(edges) - 2)
    return np.where(simulation.background, number, -1)
