"""What both evaluations find, as plain data: figures and tables are made from it alone."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.estimate import Estimate as Estimate

Number = float | None
Kind = Literal["signal", "background", "data"]
Rows = tuple[tuple[Number, ...], ...]


def plain(values: NDArray[np.floating]) -> tuple[Number, ...]:
    """Return the numbers, None for those that are not finite."""
    return tuple(float(value) if np.isfinite(value) else None for value in values)


class Binned(NamedTuple):
    """An estimate in each bin, None without events.

    Edges of bins of a count are half-integers, and the last bin takes all that is larger.
    """

    edges: tuple[float, ...]
    values: tuple[Number, ...]
    errors: tuple[Number, ...]


class Histogram(NamedTuple):
    """Sums of weights and of squared weights in bins; `total` counts the events outside, too."""

    edges: tuple[float, ...]
    weights: tuple[float, ...]
    squared_weights: tuple[float, ...]
    total: float


class Counts(NamedTuple):
    """Events of data in bins, with the limits of the central 68.27 % interval of each mean.

    F. Garwood, Biometrika 28 (1936) 437. They are the ends of the error bars, not their lengths.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]


class Spectrum(NamedTuple):
    """A quantity's histogram of each simulated process, by its name, and of data if there are any.

    `down` and `up` are by how much systematic variations lower and raise the sum of processes in
    each bin, in quadrature; empty without any.
    """

    edges: tuple[float, ...]
    processes: dict[str, Histogram]
    data: Counts | None
    down: tuple[float, ...] = ()
    up: tuple[float, ...] = ()


class Process(NamedTuple):
    """One sample as it is selected, before any cut on a score; `title` may have LaTeX.

    `events` are counted without weights, `expected` with them; None for data, of which
    `pseudo_data` says whether they are simulation that stands for collisions.
    """

    name: str
    title: str
    kind: Kind
    events: int
    expected: Estimate | None
    pseudo_data: bool = False


def data_in_words(processes: Sequence[Process]) -> str:
    """Return what events of data are: collisions, simulation that stands for them, or both."""
    kinds = {process.pseudo_data for process in processes if process.kind == "data"}
    return {(True,): "pseudo-data", (False, True): "data and pseudo-data"}.get(
        tuple(sorted(kinds)), "data"
    )


class Yield(NamedTuple):
    """What is left of a process; as `Process`."""

    process: str
    events: int
    expected: Estimate | None


class Importance(NamedTuple):
    """What is lost in accuracy of the assignment, or AUC, where an input is permuted among events.

    It is a feature of a collection, such as jets, leptons or event, None for all of it at once.
    """

    collection: str
    feature: str | None
    drop: Estimate


class Comparison(NamedTuple):
    """By how much a model is better than another in one metric, on the same replicas.

    P-values are of the one being no better than the other, and of the two being equal.
    """

    metric: str
    name: str
    other: str
    gain: Estimate
    p_value: float
    p_value_two_sided: float
