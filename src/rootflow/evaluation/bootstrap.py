"""Statistical errors by the Poisson bootstrap, many statistics at once.

A replica of the sample multiplies the weight of each event by a number drawn from the
Poisson distribution of mean 1; the error of a statistic is its standard deviation over the
replicas. Sources: ATLAS Collaboration, "Evaluating statistical uncertainties and
correlations using the bootstrap method", ATL-PHYS-PUB-2021-011; G. Bohm and G. Zech,
"Statistics of weighted Poisson events and its applications", arXiv:1309.1287.

All statistics of a kind see the same replicas, so their errors are correlated as the events
are. A statistic of weights, such as the area under a curve, needs the weight of every event. A
statistic of cells, such as a share or a quantile, needs the sum of weights in each of a few cells:
a million events and a thousand replicas of hundreds of statistics are one pass of additions. The
numbers are drawn for a fixed block of events and replicas with a seed of its own: neither the
number of threads nor what else is asked changes any.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Self

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.special import pdtr

from rootflow.cores import usable_cores
from rootflow.estimate import Estimate
from rootflow.evaluation.results import Binned, plain
from rootflow.physics.kinematics import FloatArray as FloatArray
from rootflow.progress import progress

Cells = NDArray[np.int16]

# Of replica weights held at a time: what a core keeps in its cache.
WEIGHTS_AT_ONCE = 100_000
# Replicas and events of a block: its numbers (bytes) and the sums of a statistic stay in cache.
REPLICAS_AT_ONCE = 128
EVENTS_AT_ONCE = 1024
# Sums held at a time, of 1 kB for a block's replicas: what is asked beyond is another pass.
CELLS_AT_ONCE = 200_000
NOWHERE = -1

# Poisson numbers of mean 1 at evenly spaced points of their cumulative distribution: a look
# into this table is ten times as fast as a draw, and right to 2^-17 in every probability.
POISSON = np.searchsorted(pdtr(np.arange(16), 1.0), (np.arange(2**16) + 0.5) / 2**16).astype(
    np.uint8
)


class Sums(NamedTuple):
    """Sums of weights, times `values` (n,) float32 if there are any, in so many cells.

    `cell` (n,) int16 is that of each event, -1 where it is in none.
    """

    cell: Cells
    cells: int
    values: NDArray[np.float32] | None = None

    def of_sample(self, weight: FloatArray) -> FloatArray:
        """Return the sums (1, cells) of the sample itself."""
        inside = self.cell != NOWHERE
        weights = weight if self.values is None else weight * self.values
        totals = np.bincount(self.cell[inside], weights[inside], self.cells)
        return np.asarray(totals, np.float64)[np.newaxis]


class CellStatistic(ABC):
    """k numbers made of `sums` in cells."""

    sums: tuple[Sums, ...]

    @abstractmethod
    def __call__(self, *totals: FloatArray) -> FloatArray:
        """Return (replicas, k) for the sums, (replicas, cells) each, in the order of `sums`."""

    def of_sample(self, weight: FloatArray) -> FloatArray:
        """Return (k,) of the sample itself, exactly."""
        return np.asarray(self(*(sums.of_sample(weight) for sums in self.sums))[0])


# k numbers that depend on the weights of n events: (replicas, k) for weights (replicas, n).
WeightStatistic = Callable[[FloatArray], FloatArray]
Statistic = CellStatistic | WeightStatistic


@dataclass(frozen=True)
class Replicated:
    """k numbers of the sample, (k,), and in every replica, (replicas, k); NaN where none exists."""

    values: FloatArray
    replicas: FloatArray

    @cached_property
    def errors(self) -> FloatArray:
        """(k,), NaN where there is none."""
        return standard_deviation(self.replicas)

    @classmethod
    def joined(cls, parts: Iterable[Self]) -> Self:
        """Return the numbers of several, one after the other."""
        every = list(parts)
        values = np.concatenate([part.values for part in every])
        return cls(values, np.concatenate([part.replicas for part in every], axis=1))

    def part(self, places: slice) -> Self:
        """Return some of the numbers."""
        return type(self)(self.values[places], self.replicas[:, places])

    def over(self, other: Self) -> Self:
        """Return the quotients with the numbers of another, in the same replicas."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return type(self)(self.values / other.values, self.replicas / other.replicas)

    def estimate(self, at: int = 0) -> Estimate:
        """Return one of the numbers with its error."""
        return Estimate(float(self.values[at]), float(self.errors[at]))

    def binned(self, edges: Sequence[float]) -> Binned:
        """Return the numbers, one for each bin, as plain data."""
        return Binned(tuple(edges), plain(self.values), plain(self.errors))


def bootstrap(
    statistics: Mapping[str, Statistic], weight: FloatArray, replicas: int, seed: int
) -> dict[str, Replicated]:
    """Return every statistic, by name, of the events with weights (n,) and in the replicas."""
    of_cells = {n: each for n, each in statistics.items() if isinstance(each, CellStatistic)}
    of_weights = {n: each for n, each in statistics.items() if not isinstance(each, CellStatistic)}
    found = _in_cells(of_cells, weight, replicas, seed)
    found |= _by_weights(of_weights, weight, replicas, seed)
    sample = {name: each.of_sample(weight) for name, each in of_cells.items()}
    sample |= {name: np.asarray(each(weight[np.newaxis])[0]) for name, each in of_weights.items()}
    return {name: Replicated(sample[name], found[name]) for name in statistics}


def standard_deviation(replicas: FloatArray) -> FloatArray:
    """Return (k,) of (replicas, k), over those replicas in which the statistic exists."""
    existing = np.ma.masked_invalid(replicas)
    return np.asarray(np.ma.filled(existing.std(axis=0, ddof=1), np.nan))


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Return the ratio in the shape of the numerator, NaN where the denominator is not positive."""
    found: FloatArray = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=found, where=denominator > 0)
    return found


def better_p_value(differences: FloatArray) -> float:
    """Return the p-value of one model being no better than another.

    (1 + number of replicas in which it is not) / (1 + replicas): A. C. Davison and
    D. V. Hinkley, "Bootstrap Methods and their Application", Cambridge 1997, eq. 4.11. The
    differences (replicas,) are by how much it is better; NaN says nothing for it.
    """
    return float((1 + np.sum(~(differences > 0))) / (1 + len(differences)))


def _by_weights(
    statistics: Mapping[str, WeightStatistic], weight: FloatArray, replicas: int, seed: int
) -> dict[str, FloatArray]:
    """Return (replicas, k) of each statistic."""
    if not statistics:
        return {}
    parts: dict[str, list[FloatArray]] = {name: [] for name in statistics}
    random, at_once = np.random.default_rng(seed), max(1, WEIGHTS_AT_ONCE // len(weight))
    with progress("bootstrap", replicas, "replicas") as advance:
        for start in range(0, replicas, at_once):
            shape = (min(at_once, replicas - start), len(weight))
            weights = POISSON[random.integers(0, len(POISSON), shape, dtype=np.uint16)] * weight
            for name, statistic in statistics.items():
                parts[name].append(statistic(weights))
            advance(len(weights))
    return {name: np.concatenate(found) for name, found in parts.items()}


def _in_cells(
    statistics: Mapping[str, CellStatistic], weight: FloatArray, replicas: int, seed: int
) -> dict[str, FloatArray]:
    """Return (replicas, k) of each statistic."""
    if not statistics:
        return {}
    sizes = [
        min(REPLICAS_AT_ONCE, replicas - first) for first in range(0, replicas, REPLICAS_AT_ONCE)
    ]
    passes = _passes(statistics)
    found: dict[str, FloatArray] = {}
    with (
        progress("bootstrap", replicas * len(passes), "replicas") as advance,
        ThreadPoolExecutor(usable_cores()) as pool,
    ):
        for some in passes:
            block = _block_of(some, weight, seed)
            parts = []
            for size, part in zip(sizes, pool.map(block, range(len(sizes)), sizes), strict=True):
                parts.append(part)
                advance(size)
            found |= {name: np.concatenate([part[name] for part in parts]) for name in some}
    return found


def _passes(statistics: Mapping[str, CellStatistic]) -> list[dict[str, CellStatistic]]:
    cells = [sum(sums.cells for sums in each.sums) for each in statistics.values()]
    number_of = dict(zip(statistics, np.cumsum(cells) // CELLS_AT_ONCE, strict=True))
    return [
        {name: each for name, each in statistics.items() if number_of[name] == number}
        for number in np.unique(list(number_of.values()))
    ]


def _block_of(
    statistics: Mapping[str, CellStatistic], weight: FloatArray, seed: int
) -> Callable[[int, int], dict[str, FloatArray]]:
    """Return what finds the statistics in a block of replicas, by its number and their number."""
    asked = [sums for statistic in statistics.values() for sums in statistic.sums]
    alone = weight.astype(np.float32)
    factors = [
        alone if sums.values is None else (weight * sums.values).astype(np.float32)
        for sums in asked
    ]

    def found(block: int, replicas: int) -> dict[str, FloatArray]:
        totals = [np.zeros((sums.cells, replicas)) for sums in asked]
        for number, first in enumerate(range(0, len(weight), EVENTS_AT_ONCE)):
            last = min(first + EVENTS_AT_ONCE, len(weight))
            counts = poisson_counts((seed, block, number), last - first, replicas)
            for sums, factor, total in zip(asked, factors, totals, strict=True):
                _add(counts, sums.cell[first:last], factor[first:last], total)
        given = iter(total.T for total in totals)
        return {
            name: statistic(*(next(given) for _ in statistic.sums))
            for name, statistic in statistics.items()
        }

    return found


def poisson_counts(seed: tuple[int, ...], events: int, replicas: int) -> NDArray[np.uint8]:
    """Return (events, replicas) Poisson numbers of mean 1 of a block of events and replicas."""
    drawn = np.random.PCG64(seed).random_raw(EVENTS_AT_ONCE * REPLICAS_AT_ONCE // 4)
    table = drawn.view(np.uint16).reshape(EVENTS_AT_ONCE, REPLICAS_AT_ONCE)
    counts = np.empty((events, replicas), np.uint8)
    _look_up(table, POISSON, counts)
    return counts


@numba.njit(nogil=True, cache=True)
def _look_up(
    drawn: NDArray[np.uint16], table: NDArray[np.uint8], counts: NDArray[np.uint8]
) -> None:
    for event in range(counts.shape[0]):
        for replica in range(counts.shape[1]):
            counts[event, replica] = table[drawn[event, replica]]


@numba.njit(nogil=True, cache=True)
def _add(
    counts: NDArray[np.uint8], cell: Cells, factor: NDArray[np.float32], totals: FloatArray
) -> None:
    for event in range(len(cell)):
        if cell[event] >= 0:
            total, weight = totals[cell[event]], factor[event]
            for replica in range(counts.shape[1]):
                total[replica] += weight * np.float32(counts[event, replica])
