"""Sums of weights of the events below given scores, in many replicas at once."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rootflow.evaluation.bootstrap import FloatArray


class SumsBelow:
    """Sums over the events `among` (n,) whose value (n,), none NaN, is below each of k limits.

    A value equal to the limit is below it where the side is `right`. A replica is one cumulative
    sum.
    """

    def __init__(
        self,
        values: FloatArray,
        among: NDArray[np.bool_],
        limits: ArrayLike,
        side: Literal["left", "right"] = "left",
    ) -> None:
        index = np.flatnonzero(among)
        self._order = index[np.argsort(values[index], kind="stable")]
        self._events_below = np.searchsorted(values[self._order], limits, side=side)

    def __call__(self, weights: FloatArray, times: FloatArray | None = None) -> FloatArray:
        """Return (replicas, k) for weights (replicas, n), each times (n,) a factor if given."""
        ordered = np.take(weights, self._order, axis=1)
        if times is not None:
            ordered *= times[self._order]
        cumulative = np.zeros((len(weights), len(self._order) + 1))
        np.cumsum(ordered, axis=1, out=cumulative[:, 1:])
        return cumulative[:, self._events_below]


class SumsInBins(SumsBelow):
    """Sums over the events whose value is in each of k bins: [low, high), the last [low, high]."""

    def __init__(self, values: FloatArray, among: NDArray[np.bool_], edges: ArrayLike) -> None:
        limits = np.array(edges, np.float64)
        limits[-1] = np.nextafter(limits[-1], np.inf)
        super().__init__(values, among, limits)

    def __call__(self, weights: FloatArray, times: FloatArray | None = None) -> FloatArray:
        """Return (replicas, k) as of `SumsBelow`."""
        return np.diff(super().__call__(weights, times), axis=1)
