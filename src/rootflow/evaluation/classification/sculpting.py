"""Whether a cut on the score changes the shape of the background's m(4l)."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import scipy.spatial.distance
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import Estimates, FloatArray
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import Divergence, Sculpting
from rootflow.evaluation.classification.spectra import histogram
from rootflow.evaluation.results import Estimate


class Divergences:
    """Jensen-Shannon divergence of the mass in each of k score bins from the inclusive one.

    J. Lin, IEEE Trans. Inf. Theory 37 (1991) 145, with the logarithm to base 2. A mass bin
    with a negative sum of weights counts as empty.

    Parameters
    ----------
    score_bins
        (n,) 0 to k - 1; -1 for events that do not count.
    mass
        (n,).
    mass_edges
        Of the bins of the mass; events outside do not count.
    """

    def __init__(
        self, score_bins: NDArray[np.int64], mass: FloatArray, mass_edges: Sequence[float]
    ) -> None:
        mass_bins = np.digitize(mass, mass_edges) - 1
        inside = (score_bins >= 0) & (mass_bins >= 0) & (mass_bins < len(mass_edges) - 1)
        self._index = np.flatnonzero(inside)
        self._score_bins, self._mass_bins = score_bins[inside], mass_bins[inside]
        self._shape = (int(np.max(score_bins)) + 1, len(mass_edges) - 1)

    @classmethod
    def of(
        cls,
        scores: FloatArray,
        edges: FloatArray,
        simulation: Labelled,
        mass_edges: Sequence[float],
    ) -> Self:
        """Return the statistic for the background's m(4l) in bins of the score."""
        return cls(_bins(scores, edges, simulation), simulation.m4l, mass_edges)

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, k); NaN where a bin has no event."""
        chosen = np.take(weights, self._index, axis=1)
        return np.array([self._divergences(self._score_bins, weight) for weight in chosen])

    def permuted(self, weight: FloatArray, permutations: int, seed: int) -> FloatArray:
        """Return (permutations, k): the same with scores and masses of different events."""
        random = np.random.default_rng(seed)
        chosen = weight[self._index]
        return np.array(
            [
                self._divergences(random.permutation(self._score_bins), chosen)
                for _ in range(permutations)
            ]
        )

    def _divergences(self, score_bins: NDArray[np.int64], weight: FloatArray) -> FloatArray:
        cells = score_bins * self._shape[1] + self._mass_bins
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
    estimates: Estimates,
    without_dependence: FloatArray,
    scores: FloatArray,
    edges: FloatArray,
    simulation: Labelled,
    mass_edges: Sequence[float],
) -> Sculpting:
    """Return the spectra in each bin of the score and what their divergences mean.

    A divergence of finite samples is positive for equal shapes, too: permutations of the
    scores among the events say by how much and how often.

    Parameters
    ----------
    estimates
        Of `Divergences`.
    without_dependence
        (permutations, k) of its permutations.
    scores, edges
        (n,) and the bins of `quantile_edges`.
    simulation
        The events.
    mass_edges
        Of the histograms.
    """
    bins = _bins(scores, edges, simulation)
    found = []
    for value, error, expected in zip(*estimates, without_dependence.T, strict=True):
        as_large = int(np.sum(expected >= value))
        found.append(
            Divergence(
                value=Estimate(float(value), float(error)),
                expected=Estimate(float(np.mean(expected)), float(np.std(expected, ddof=1))),
                p_value=(1 + as_large) / (1 + len(expected)),
            )
        )
    return Sculpting(
        score_edges=tuple(edges.tolist()),
        mass=tuple(
            histogram(simulation.m4l, simulation.weight, mass_edges, bins == place)
            for place in range(len(edges) - 1)
        ),
        inclusive=histogram(simulation.m4l, simulation.weight, mass_edges, simulation.background),
        divergences=tuple(found),
    )


def _bins(scores: FloatArray, edges: FloatArray, simulation: Labelled) -> NDArray[np.int64]:
    """Return (n,) the bin of the score, -1 for what is no background."""
    number = np.minimum(np.digitize(scores, edges) - 1, len(edges) - 2)
    return np.where(simulation.background, number, -1)
