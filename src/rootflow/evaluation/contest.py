"""A candidate against the champion, on the same events and the same replicas."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rootflow.dataset.events import Events
from rootflow.errors import InputError, UsageError
from rootflow.evaluation.bootstrap import FloatArray, better_p_value, standard_deviation
from rootflow.evaluation.evaluate import BINNED_BESIDE_OBSERVABLES
from rootflow.evaluation.metrics import binned_by, residuals_of, right, right_two
from rootflow.evaluation.observables import OBSERVABLES
from rootflow.evaluation.results import Estimate
from rootflow.evaluation.sample import Candidate, Sample, candidates_of, sample_of
from rootflow.evaluation.tallies import BiasAndResolution, Shares, everywhere
from rootflow.evaluation.tally import NOWHERE, Cells, Tally, tally
from rootflow.reconstruction.contract import Reconstructor

Edges = Mapping[str, Sequence[float]]
RESOLUTION = "mtt_resolution"


class Bin(NamedTuple):
    """A bin of a quantity, from `low` to `high`."""

    quantity: str
    low: float
    high: float


class BinContest(NamedTuple):
    """The metric of both in one bin.

    Attributes
    ----------
    gain
        By how much the candidate is better, with the error of the difference.
    p_value
        One-sided, of the candidate being no worse than the champion: small where it is worse.
    """

    bin: Bin
    candidate: Estimate
    champion: Estimate
    gain: Estimate
    p_value: float


class Contest(NamedTuple):
    """What a contest found.

    Attributes
    ----------
    metric
        What is compared.
    events
        How many there are.
    replicas, seed
        Of the bootstrap.
    candidate, champion
        The metric of each; None where there is no champion, as all that follows.
    gain
        By how much the candidate is better, with the error of the difference.
    p_value
        One-sided, of the gain being no larger than the least gain that is asked.
    bins
        Every named bin.
    """

    metric: str
    events: int
    replicas: int
    seed: int
    candidate: Estimate
    champion: Estimate | None
    gain: Estimate | None
    p_value: float | None
    bins: tuple[BinContest, ...]


class Measured(NamedTuple):
    """A metric of all events, and of those in each of b bins: (1 + b,), and in the replicas."""

    sample: FloatArray
    replicas: FloatArray


def check_bins(names: Edges) -> None:
    """Refuse quantities of which reconstructed events have no bins.

    Raises
    ------
    UsageError
        It says which there are.
    """
    known = [*BINNED_BESIDE_OBSERVABLES, *OBSERVABLES]
    for name in names:
        if name not in known:
            raise UsageError(f"promotion.no_regression_in: '{name}' is none of {', '.join(known)}")


def contest(
    events: Events,
    candidate: Reconstructor,
    champion: Reconstructor | None,
    *,
    metric: str,
    least_gain: float,
    edges: Edges,
    btag_min: float,
    replicas: int,
    seed: int,
) -> Contest:
    """Compare two methods of reconstruction in one metric, event by event.

    Parameters
    ----------
    events
        Simulated events that neither has been trained on.
    candidate, champion
        The methods, of different names; without a champion only the candidate's metric is found.
    metric
        assignment_accuracy, either_accuracy, selection_accuracy or mtt_resolution, as
        `rootflow.evaluation.metrics.DEFINITIONS` has them.
    least_gain
        What the gain is tested against.
    edges
        Of the named bins, by quantity.
    btag_min
        Smallest btag of a jet that is counted as tagged.
    replicas, seed
        Of the bootstrap, which both share.

    Raises
    ------
    InputError
        There are no events or no truth, or a method may not be applied to them.
    UsageError
        There are no bins of a quantity, or a bin has no event.
    ConformanceError
        A method's answers are not what the contract says.
    """
    check_bins(edges)
    sample = sample_of(events, btag_min)
    methods = [candidate] if champion is None else [candidate, champion]
    contenders = candidates_of(sample, methods, "model")
    counts = [1, *(len(limits) - 1 for limits in edges.values())]
    statistics = {
        f"{contender.name}/{place}": statistic
        for contender in contenders
        for place, statistic in enumerate(_statistics(metric, contender, sample, edges))
    }
    replicated = tally(statistics, events.weight, replicas, seed)
    measured = []
    for contender in contenders:
        names = [f"{contender.name}/{place}" for place in range(len(counts))]
        sample_values = [statistics[name].of_sample(events.weight) for name in names]
        # Of biases and resolutions, which come in this order, the resolutions.
        parts = [
            (values[-count:], replicated[name][:, -count:])
            for name, values, count in zip(names, sample_values, counts, strict=True)
        ]
        of_sample, of_replicas = zip(*parts, strict=True)
        measured.append(Measured(np.concatenate(of_sample), np.concatenate(of_replicas, axis=1)))
    sign = -1 if metric == RESOLUTION else 1
    return decide(metric, len(events), measured, bins_of(edges), least_gain, seed, sign)


def decide(
    metric: str,
    events: int,
    measured: Sequence[Measured],
    bins: Sequence[Bin],
    least_gain: float,
    seed: int,
    sign: int = 1,
) -> Contest:
    """Return the contest of what was measured of the candidate and, if there is one, the champion.

    Parameters
    ----------
    metric, events, seed
        For the record.
    measured
        The candidate, and then the champion.
    bins
        In the order of what was measured.
    least_gain
        What the gain is tested against.
    sign
        -1 where less of the metric is better.

    Raises
    ------
    UsageError
        The metric does not exist in a bin.
    """
    for found in measured:
        for place, value in enumerate(found.sample):
            if not (np.isfinite(value) and np.isfinite(found.replicas[:, place]).any()):
                _refuse(metric, bins[place - 1] if place else None)
    candidate = measured[0]
    replicas = len(candidate.replicas)
    if len(measured) == 1:
        own = _estimate(candidate, 0)
        return Contest(metric, events, replicas, seed, own, None, None, None, ())
    champion = measured[1]
    gain = Measured(
        sign * (candidate.sample - champion.sample), sign * (candidate.replicas - champion.replicas)
    )
    return Contest(
        metric=metric,
        events=events,
        replicas=replicas,
        seed=seed,
        candidate=_estimate(candidate, 0),
        champion=_estimate(champion, 0),
        gain=_estimate(gain, 0),
        p_value=better_p_value(gain.replicas[:, 0] - least_gain),
        bins=tuple(
            BinContest(
                bin=each,
                candidate=_estimate(candidate, place),
                champion=_estimate(champion, place),
                gain=_estimate(gain, place),
                p_value=better_p_value(-gain.replicas[:, place]),
            )
            for place, each in enumerate(bins, start=1)
        ),
    )


def bins_of(edges: Edges) -> list[Bin]:
    """Return every bin, in the order of the quantities and their edges."""
    return [
        Bin(quantity, low, high)
        for quantity, limits in edges.items()
        for low, high in pairwise(limits)
    ]


def _statistics(metric: str, candidate: Candidate, sample: Sample, edges: Edges) -> list[Tally]:
    """Return the metric of all events, and then one statistic for the bins of each quantity."""
    cells: list[tuple[Cells, int]] = [(everywhere(sample.matched), 1)]
    for name, limits in edges.items():
        number = np.where(sample.matched, binned_by(name, sample, limits), NOWHERE)
        cells.append((number.astype(np.int16), len(limits) - 1))
    if metric == RESOLUTION:
        residuals = residuals_of(OBSERVABLES["mtt"], candidate, sample)
        existing = np.isfinite(residuals)
        weight = sample.events.weight
        return [
            BiasAndResolution(residuals, np.where(existing, number, NOWHERE), count, weight)
            for number, count in cells
        ]
    agree = candidate.answers.assignment == sample.assignment
    counted = {
        "assignment_accuracy": right(candidate, sample),
        "either_accuracy": np.any(agree, axis=1) & sample.matched,
        "selection_accuracy": right_two(candidate, sample),
    }[metric]
    return [Shares(counted, number, count) for number, count in cells]


def _estimate(found: Measured, place: int) -> Estimate:
    error = standard_deviation(found.replicas[:, place : place + 1])[0]
    return Estimate(float(found.sample[place]), float(error))


def _refuse(metric: str, where: Bin | None) -> None:
    if where is None:
        raise InputError(f"{metric} does not exist for the events of the held-out fold")
    raise UsageError(
        f"promotion.no_regression_in.{where.quantity}: {metric} does not exist in the bin from "
        f"{where.low:g} to {where.high:g}, which has too few events: choose wider bins"
    )
