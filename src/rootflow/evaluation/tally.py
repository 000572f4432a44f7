"""Bootstrap of what is made of sums of weights in cells: shares, means and quantiles, at once.

The replicas are those of `rootflow.evaluation.bootstrap`: the weight of each event times a
Poisson number of mean 1, one for each event and replica, whatever is asked. A statistic says
in which of its few cells each event is; all that a replica needs is the sum of weights in each
cell, so that a million events and a thousand replicas of hundreds of statistics are one pass of
additions, replicas side by side in the processor's registers.

The numbers are drawn for a fixed block of events and replicas with a seed of its own: neither
the number of threads nor what else is asked changes any.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Protocol

import numba
import numpy as np
from numpy.typing import NDArray

from rootflow.cores import usable_cores
from rootflow.evaluation.bootstrap import POISSON, Estimates, FloatArray, standard_deviation
from rootflow.progress import progress

# Replicas and events of a block: its numbers (bytes) and the sums of a statistic stay in cache.
REPLICAS_AT_ONCE = 128
EVENTS_AT_ONCE = 1024
# Sums held at a time, of 1 kB for a block's replicas: what is asked beyond is another pass.
CELLS_AT_ONCE = 200_000
NOWHERE = -1

Cells = NDArray[np.int16]


class Sums(NamedTuple):
    """Sums that a statistic asks for.

    Attributes
    ----------
    cell
        (n,) int16, the cell of each event, -1 where it is in none.
    cells
        How many there are.
    values
        (n,) float32, what is summed, times the weight; None for the weight alone.
    """

    cell: Cells
    cells: int
    values: NDArray[np.float32] | None = None


class Tally(Protocol):
    """k numbers made of sums in cells."""

    @property
    def sums(self) -> tuple[Sums, ...]:
        """What is to be summed."""

    def __call__(self, *totals: FloatArray) -> FloatArray:
        """Return (replicas, k) for the sums, (replicas, cells) each, in the order of `sums`."""

    def of_sample(self, weight: FloatArray) -> FloatArray:
        """Return (k,) of the sample itself, exactly."""


def sums_of_sample(sums: Sums, weight: FloatArray) -> FloatArray:
    """Return the sums (1, cells) of the sample itself."""
    inside = sums.cell != NOWHERE
    weights = weight if sums.values is None else weight * sums.values
    totals = np.bincount(sums.cell[inside], weights[inside], sums.cells)
    return np.asarray(totals, np.float64)[np.newaxis]


def tally(
    statistics: Mapping[str, Tally], weight: FloatArray, replicas: int, seed: int
) -> dict[str, FloatArray]:
    """Return every statistic in every replica, (replicas, k).

    Parameters
    ----------
    statistics
        What is asked, by name.
    weight
        (n,) weights of the events.
    replicas
        How many replicas there are.
    seed
        Of the replicas.
    """
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
            block = _Block(some, weight, seed)
            parts = []
            for size, part in zip(sizes, pool.map(block, range(len(sizes)), sizes), strict=True):
                parts.append(part)
                advance(size)
            found |= {name: np.concatenate([part[name] for part in parts]) for name in some}
    return found


def _passes(statistics: Mapping[str, Tally]) -> list[dict[str, Tally]]:
    passes: list[dict[str, Tally]] = [{}]
    held = 0
    for name, statistic in statistics.items():
        cells = sum(sums.cells for sums in statistic.sums)
        if passes[-1] and held + cells > CELLS_AT_ONCE:
            passes.append({})
            held = 0
        passes[-1][name] = statistic
        held += cells
    return passes


class _Block:
    """Statistics of a block of replicas."""

    def __init__(self, statistics: Mapping[str, Tally], weight: FloatArray, seed: int) -> None:
        self._statistics = statistics
        self._seed = seed
        self._events = len(weight)
        self._asked = [sums for statistic in statistics.values() for sums in statistic.sums]
        plain = weight.astype(np.float32)
        self._factors = [
            plain if sums.values is None else (weight * sums.values).astype(np.float32)
            for sums in self._asked
        ]

    def __call__(self, number: int, replicas: int) -> dict[str, FloatArray]:
        given = iter(self._totals(number, replicas))
        return {
            name: statistic(*(next(given) for _ in statistic.sums))
            for name, statistic in self._statistics.items()
        }

    def _totals(self, block: int, replicas: int) -> list[FloatArray]:
        totals = [np.zeros((sums.cells, replicas)) for sums in self._asked]
        for number, first in enumerate(range(0, self._events, EVENTS_AT_ONCE)):
            last = min(first + EVENTS_AT_ONCE, self._events)
            counts = poisson_counts((self._seed, block, number), last - first, replicas)
            for sums, factor, total in zip(self._asked, self._factors, totals, strict=True):
                _add(counts, sums.cell[first:last], factor[first:last], total)
        return [total.T for total in totals]


def estimates_of(
    statistics: Mapping[str, Tally], replicated: Mapping[str, FloatArray], weight: FloatArray
) -> dict[str, Estimates]:
    """Return every statistic of the sample with its bootstrap error, from its replicas."""
    return {
        name: Estimates(statistic.of_sample(weight), standard_deviation(replicated[name]))
        for name, statistic in statistics.items()
    }


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
