"""Whether a cut on the score changes the shape of the background's observable."""

from collections.abc import Sequence

import numpy as np
import scipy.spatial.distance
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import NOWHERE, FloatArray, Replicated
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import Divergence, Sculpting
from rootflow.evaluation.results import Estimate, histogram


class SculptingQuestion:
    """Jensen-Shannon divergence of background's observable in bins of the score from that of all.

    J. Lin, IEEE Trans. Inf. Theory 37 (1991) 145, with the logarithm to base 2. Bins of the score
    (n,) hold the same background within the edges of the observable (n,), outside of which no event
    counts; a bin of the observable with a negative sum of weights counts as empty.
    """

    def __init__(
        self, scores: FloatArray, simulation: Labelled, bins: int, edges: Sequence[float]
    ) -> None:
        values = np.asarray(simulation.values)
        inside = simulation.within((edges[0], edges[-1]))
        self._values, self._simulation, self._edges = values, simulation, edges
        self._score_edges = quantile_edges(scores, inside, bins)
        self._shape = (len(self._score_edges) - 1, len(edges) - 1)
        score_bins = np.minimum(np.digitize(scores, self._score_edges), self._shape[0]) - 1
        self._score_bins = np.where(simulation.background, score_bins, NOWHERE)
        bins_of_values = np.digitize(values, edges) - 1
        counts = simulation.background & (bins_of_values >= 0) & (bins_of_values < self._shape[1])
        self._index, self._bins = np.flatnonzero(counts), bins_of_values[counts]
        self._scores = scores[counts]

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, score bins); NaN where a bin has no event."""
        score_bins = self._score_bins[self._index]
        return np.array([self._divergences(score_bins, weight[self._index]) for weight in weights])

    def answer(self, found: Replicated, permutations: int, seed: int) -> Sculpting:
        """Return the spectra in each bin of the score and their divergences.

        Those of finite samples are positive for equal shapes, too: permutations of the scores among
        the events, in bins of the same background again, say by how much and how often.
        """
        weight, edges = self._simulation.weight, self._edges
        chosen = weight[self._index]
        different, ranks = np.unique(self._scores, return_inverse=True)
        first = np.searchsorted(different, self._score_edges[1:-1])
        below = _below(ranks, chosen)[first]
        random = np.random.default_rng(seed)
        without_dependence = []
        for _ in range(permutations):
            permuted = random.permutation(ranks)
            starts = np.searchsorted(_below(permuted, chosen), below)
            score_bins = np.searchsorted(starts, permuted, side="right")
            without_dependence.append(self._divergences(score_bins, chosen))
        divergences = []
        for place, expected in enumerate(np.transpose(without_dependence)):
            value = found.estimate(place)
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
                histogram(self._values, weight, edges, self._score_bins == place)
                for place in range(self._shape[0])
            ),
            inclusive=histogram(self._values, weight, edges, self._simulation.background),
            divergences=tuple(divergences),
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


def _below(ranks: NDArray[np.int64], weight: FloatArray) -> FloatArray:
    """Return how much background there is below each rank of the scores; it does not fall."""
    sums = np.bincount(ranks, weight)
    return np.maximum.accumulate(np.cumsum(sums) - sums)


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
