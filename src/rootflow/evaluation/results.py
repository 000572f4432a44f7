"""What both evaluations find, as plain data: figures and tables are made from it alone."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
import scipy.stats
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.errors import InputError, UsageError
from rootflow.estimate import Estimate as Estimate
from rootflow.physics.kinematics import FloatArray

Number = float | None
Kind = Literal["signal", "background", "data"]
# The central interval of a Gaussian within one standard deviation.
LOWER_QUANTILE, UPPER_QUANTILE = 0.158655254, 0.841344746
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


def logged(
    found: Iterable[tuple[str, Iterable[tuple[str, Estimate | Number]]]],
) -> dict[str, float]:
    """Return `METRIC/MODEL` and `METRIC_error/MODEL` of models; what is not finite is absent."""
    numbers = {}
    for model, metrics in found:
        for name, metric in metrics:
            value, error = metric if isinstance(metric, Estimate) else (metric, None)
            for what, number in ((name, value), (f"{name}_error", error)):
                if number is not None and math.isfinite(number):
                    numbers[f"{what}/{model}"] = number
    return numbers


def histogram(
    values: NDArray[np.floating],
    weight: FloatArray,
    edges: Sequence[float],
    among: NDArray[np.bool_],
) -> Histogram:
    """Return the weighted histogram of the values of the events `among`."""
    values, weight = values[among].astype(np.float64), weight[among]
    sums, _ = np.histogram(values, bins=edges, weights=weight)
    squares, _ = np.histogram(values, bins=edges, weights=weight**2)
    total = float(np.sum(weight))
    return Histogram(tuple(edges), tuple(sums.tolist()), tuple(squares.tolist()), total)


def counts(values: NDArray[np.floating], edges: Sequence[float]) -> Counts:
    """Return how many values are in each bin, with central 68.27 % intervals."""
    found, _ = np.histogram(values.astype(np.float64), bins=edges)
    # A chi2 distribution needs a degree of freedom: the limit of none is set to zero.
    lower = scipy.stats.chi2.ppf(LOWER_QUANTILE, 2 * np.maximum(found, 1)) / 2
    upper = scipy.stats.chi2.isf(LOWER_QUANTILE, 2 * found + 2) / 2
    return Counts(
        tuple(edges),
        tuple(found.tolist()),
        tuple(np.where(found > 0, lower, 0).tolist()),
        tuple(upper.tolist()),
    )


def expected(kind: Kind, weight: FloatArray) -> Estimate | None:
    """Return the sum of weights (n,) with the root of that of their squares; of data nothing."""
    if kind == "data":
        return None
    return Estimate(float(np.sum(weight)), float(np.sqrt(np.sum(weight**2))))


def check_known(key: str, names: Iterable[str], known: Sequence[str]) -> None:
    """Refuse names below a key of the configuration that there are not, and say what there is."""
    for name in names:
        if name not in known:
            raise UsageError(f"{key}: '{name}' is none of {', '.join(known)}")


def check_finite(name: str, values: NDArray[np.floating], events: Events) -> None:
    """Refuse values (n, ...) of events that are not finite, and say of which event the first is."""
    broken = ~np.isfinite(values.reshape(len(events), -1)).all(axis=1)
    if np.any(broken):
        raise InputError(
            f"{name} of {np.sum(broken)} of {len(events)} events to evaluate on are not finite, "
            f"the first is {events.in_words(int(np.argmax(broken)))}"
        )


def process_of(sample: Sample, kind: Kind, weight: FloatArray) -> Process:
    """Return a sample by the weights (n,) of its events."""
    total = expected(kind, weight)
    return Process(sample.name, sample.title, kind, len(weight), total, sample.pseudo_data)


def varied_weights(events: Events) -> dict[str, FloatArray]:
    """Return (n,) weights by the name of the variation; empty where events have none."""
    varied = events.systematic_weights
    return {} if varied is None else {name: varied[name] for name in varied.dtype.names or ()}
