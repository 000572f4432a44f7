"""A candidate against the champion, on the same events and the same replicas."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from rootflow.errors import InputError, UsageError
from rootflow.estimate import Estimate
from rootflow.evaluation.bootstrap import Replicated
from rootflow.evaluation.paired import Better, paired

Edges = Mapping[str, Sequence[float]]


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


def decide(
    metric: str,
    events: int,
    measured: Sequence[Replicated],
    bins: Sequence[Bin],
    least_gain: float,
    seed: int,
    better: Better = "more",
) -> Contest:
    """Return the contest of what was measured of the candidate and, if there is one, the champion.

    Parameters
    ----------
    metric, events, seed
        For the record.
    measured
        The candidate, and then the champion: the metric of all events, and of those in each bin.
    bins
        In the order of what was measured.
    least_gain
        What the gain is tested against.
    better
        Which values of the metric are.

    Raises
    ------
    UsageError
        The metric does not exist in a bin.
    """
    for found in measured:
        for place, value in enumerate(found.values):
            if not (np.isfinite(value) and np.isfinite(found.replicas[:, place]).any()):
                _refuse(metric, bins[place - 1] if place else None)
    candidate = measured[0]
    replicas = len(candidate.replicas)
    if len(measured) == 1:
        own = _estimate(candidate)
        return Contest(metric, events, replicas, seed, own, None, None, None, ())
    champion = measured[1]
    every = paired(candidate, champion, better, least=least_gain)
    found_in_bins = []
    for place, each in enumerate(bins, start=1):
        both = paired(candidate, champion, better, at=place)
        found_in_bins.append(
            BinContest(
                each,
                _estimate(candidate, place),
                _estimate(champion, place),
                both.gain,
                both.p_value_no_worse,
            )
        )
    return Contest(
        metric=metric,
        events=events,
        replicas=replicas,
        seed=seed,
        candidate=_estimate(candidate),
        champion=_estimate(champion),
        gain=every.gain,
        p_value=every.p_value,
        bins=tuple(found_in_bins),
    )


def bins_of(edges: Edges) -> list[Bin]:
    """Return every bin, in the order of the quantities and their edges."""
    return [
        Bin(quantity, low, high)
        for quantity, limits in edges.items()
        for low, high in pairwise(limits)
    ]


def _estimate(found: Replicated, place: int = 0) -> Estimate:
    """Return one number; to the last bit the same, whatever stands beside it."""
    return found.part(slice(place, place + 1)).estimate()


def _refuse(metric: str, where: Bin | None) -> None:
    if where is None:
        raise InputError(f"{metric} does not exist for the events of the held-out fold")
    raise UsageError(
        f"promotion.no_regression_in.{where.quantity}: {metric} does not exist in the bin from "
        f"{where.low:g} to {where.high:g}, which has too few events: choose wider bins"
    )
