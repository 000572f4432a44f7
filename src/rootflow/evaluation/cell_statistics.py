"""Statistics of cells: shares in bins, quantiles, their differences."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import (
    NOWHERE,
    Cells,
    CellStatistic,
    FloatArray,
    Sums,
    ratio,
)
from rootflow.evaluation.results import LOWER_QUANTILE, UPPER_QUANTILE

# Of a window around a quantile, in standard deviations of the quantile, and how many cells.
WINDOW, CELLS_IN_WINDOW = 5.0, 64
QUANTILES = (LOWER_QUANTILE, 0.5, UPPER_QUANTILE)


class Shares(CellStatistic):
    """The weighted share of events that are right (n,), in each bin (n,), -1 for none."""

    def __init__(self, right: NDArray[np.bool_], bins: NDArray[np.integer], count: int) -> None:
        cell = np.where(bins >= 0, 2 * bins + right, NOWHERE).astype(np.int16)
        self.sums = (Sums(cell, 2 * count),)

    def __call__(self, *totals: FloatArray) -> FloatArray:
        """Return (replicas, bins) shares, NaN where the sum of weights is not positive."""
        wrong, right = totals[0][:, ::2], totals[0][:, 1::2]
        return ratio(right, wrong + right)


class Drop(CellStatistic):
    """The difference of two shares of the same events: right before (n,), and after."""

    def __init__(self, before: NDArray[np.bool_], after: NDArray[np.bool_]) -> None:
        cell = np.where(before == after, 1, np.where(before, 2, 0)).astype(np.int16)
        self.sums = (Sums(cell, 3),)

    def __call__(self, *totals: FloatArray) -> FloatArray:
        """Return (replicas, 1)."""
        gained, _, lost = totals[0].T
        return ratio((lost - gained)[:, np.newaxis], totals[0].sum(axis=1, keepdims=True))


class CalibrationError(CellStatistic):
    """The expected calibration error: mean distance of score and share of right, in bins.

    sum_b |sum w (right - score)| / sum w: M. Naeini, G. Cooper, M. Hauskrecht, AAAI 2015,
    p. 2901. Scores (n,) are probabilities, all else is as of `Shares`.
    """

    def __init__(
        self,
        right: NDArray[np.bool_],
        scores: NDArray[np.floating],
        bins: NDArray[np.integer],
        count: int,
    ) -> None:
        cell = bins.astype(np.int16)
        distance = np.where(bins >= 0, right - scores, 0).astype(np.float32)
        self.sums = (Sums(cell, count, distance), Sums(cell, count))

    def __call__(self, *totals: FloatArray) -> FloatArray:
        """Return (replicas, 1)."""
        distances, weights = totals
        distance = np.sum(np.abs(distances), axis=1, keepdims=True)
        return ratio(distance, np.sum(weights, axis=1, keepdims=True))


class BiasAndResolution(CellStatistic):
    """The weighted median of residuals and half the width of their central 68.27 %, in bins.

    bias = q(0.5), resolution = (q(0.8413) - q(0.1587)) / 2, where q(p) is the smallest
    residual at which the cumulative weight reaches the share p. In the replicas the residuals
    around each quantile are looked at in fine cells, of one event each where there are few, and
    linearly in a cell; all others are only counted. Residuals (n,) that are not finite are in none
    of the `bins` (n,); the weight (n,) says where the quantiles are.
    """

    def __init__(
        self,
        residuals: NDArray[np.floating],
        bins: NDArray[np.integer],
        count: int,
        weight: FloatArray,
    ) -> None:
        cell: Cells = np.full(len(residuals), NOWHERE, np.int16)
        self._bins: list[_Sorted | None] = []
        self._first = [0]
        for number in range(count):
            index = np.flatnonzero((bins == number) & np.isfinite(residuals))
            index = index[np.argsort(residuals[index], kind="stable")]
            found, cells = None, 0
            if len(index):
                found = _Sorted(residuals[index].astype(np.float64), weight[index])
                cell[index], cells = self._first[-1] + found.cell, found.cells
            self._bins.append(found)
            self._first.append(self._first[-1] + cells)
        self.sums = (Sums(cell, max(self._first[-1], 1)),)

    def __call__(self, *totals: FloatArray) -> FloatArray:
        """Return (replicas, 2 bins): all biases, then all resolutions."""
        quantiles = np.full((3, len(totals[0]), len(self._bins)), np.nan)
        for number, found in enumerate(self._bins):
            if found is not None:
                inside = totals[0][:, self._first[number] : self._first[number + 1]]
                quantiles[:, :, number] = found.quantiles(inside)
        return _bias_and_resolution(quantiles)

    def of_sample(self, weight: FloatArray) -> FloatArray:  # noqa: ARG002 - known since it was made
        """Return (2 bins,) of the sample."""
        nothing = np.full(3, np.nan)
        quantiles = [nothing if found is None else found.of_sample for found in self._bins]
        return np.asarray(_bias_and_resolution(np.stack(quantiles, axis=1)[:, np.newaxis])[0])


class _Sorted:
    """Sorted residuals in `cells` cells that are fine around the quantiles.

    `cell` (m,) int16 is that of each residual, `of_sample` (3,) are quantiles of the sample itself.
    """

    def __init__(self, residuals: FloatArray, weight: FloatArray) -> None:
        # With negative weights it does not rise everywhere: what counts is where it first gets to.
        cumulative = np.maximum.accumulate(np.cumsum(weight))
        squares = np.cumsum(weight**2)
        total, edges = np.sum(weight), [np.array([0, len(residuals)])]
        at = []
        for share in QUANTILES:
            place = min(int(np.searchsorted(cumulative, share * total)), len(residuals) - 1)
            at.append(place)
            below, above = squares[place], squares[-1] - squares[place]
            spread = WINDOW * np.sqrt((1 - share) ** 2 * below + share**2 * above)
            low, high = np.searchsorted(cumulative, share * total + np.array([-spread, spread]))
            edges.append(np.linspace(low, high, CELLS_IN_WINDOW + 1).astype(np.int64))
        edge = np.unique(np.clip(np.concatenate(edges), 0, len(residuals)))
        self.cells = len(edge) - 1
        self.cell = np.repeat(np.arange(self.cells, dtype=np.int16), np.diff(edge))
        self.of_sample = residuals[at] if total > 0 else np.full(3, np.nan)
        self._end = residuals[edge[1:] - 1]
        single = np.diff(edge) == 1
        before = np.concatenate([residuals[:1], self._end[:-1]])
        self._begin = np.where(single, self._end, before)

    def quantiles(self, totals: FloatArray) -> FloatArray:
        """Return (3, replicas) for the sums (replicas, cells)."""
        cumulative = np.cumsum(totals, axis=1)
        total = cumulative[:, -1]
        every = np.arange(len(totals))
        found = np.full((3, len(totals)), np.nan)
        for number, share in enumerate(QUANTILES):
            target = share * total
            cell = np.argmax(cumulative >= target[:, np.newaxis], axis=1)
            inside = totals[every, cell]
            part = np.ones(len(totals))
            np.divide(target - cumulative[every, cell] + inside, inside, out=part, where=inside > 0)
            begin, end = self._begin[cell], self._end[cell]
            found[number] = begin + np.clip(part, 0, 1) * (end - begin)
        return np.where(total > 0, found, np.nan)


def _bias_and_resolution(quantiles: FloatArray) -> FloatArray:
    lower, median, upper = quantiles
    return np.concatenate([median, (upper - lower) / 2], axis=-1)


def everywhere(among: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Return (n,) the bins of statistics with only one: 0 among, -1 elsewhere."""
    return np.where(among, 0, NOWHERE).astype(np.int16)


def bin_of(
    values: NDArray[np.generic], edges: Sequence[float], *, last_is_open: bool = False
) -> NDArray[np.int16]:
    """Return (n,) the bin of each value, -1 where it is outside all bins or NaN.

    Bins are [low, high), the last one [low, high], or all from low on where it is open.
    """
    numbers: FloatArray = values.astype(np.float64)
    last = len(edges) - 2
    number = np.where(numbers == edges[-1], last, np.digitize(numbers, edges) - 1)
    inside = (numbers >= edges[0]) & (last_is_open | (numbers <= edges[-1]))
    return np.where(inside, np.minimum(number, last), NOWHERE).astype(np.int16)
