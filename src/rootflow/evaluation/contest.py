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


class QuantityBin(NamedTuple):
    """A bin of a quantity, from `low` to `high`."""

    quantity: str
    low: float
    high: float


class BinContest(NamedTuple):
    """The metric of both in one bin.

    The p-value is one-sided, of the candidate being no worse than the champion.
    """

    bin: QuantityBin
    candidate: Estimate
    champion: Estimate
    gain: Estimate
    p_value: float


class Contest(NamedTuple):
    """What a contest found: the metric of both, and by how much the candidate is better.

    The error of the gain is that of the difference; the p-value is one-sided, of the gain being no
    larger than the least gain that is asked. None where there is no champion.
    """

    metric: str
    events: int
    replicas: int
    seed: int
    candidate: Estimate
    champion: Estimate | None = None
    gain: Estimate | None = None
    p_value: float | None = None
    bins: tuple[BinContest, ...] = ()


def decide(
    metric: str,
    events: int,
    measured: Sequence[Replicated],
    bins: Sequence[QuantityBin],
    least_gain: float,
    seed: int,
    better: Better = "more",
) -> Contest:
    """Return the contest of what was measured of the candidate and, if there is one, the champion.

    Measured is the metric of all events, and then of those in each bin; that it does not exist in
    one is a UsageError. The gain is tested against the least one.
    """
    for found in measured:
        for place, value in enumerate(found.values):
            if not (np.isfinite(value) and np.isfinite(found.replicas[:, place]).any()):
                _refuse(metric, bins[place - 1] if place else None)
    candidate, *rest = measured
    alone = Contest(metric, events, len(candidate.replicas), seed, _estimate(candidate))
    if not rest:
        return alone
    [champion] = rest
    whole = paired(candidate, champion, better, least=least_gain)
    in_bins = []
    for place, each in enumerate(bins, start=1):
        both = paired(candidate, champion, better, at=place)
        ours, theirs = _estimate(candidate, place), _estimate(champion, place)
        in_bins.append(BinContest(each, ours, theirs, both.gain, both.p_value_no_worse))
    return alone._replace(
        champion=_estimate(champion),
        gain=whole.gain,
        p_value=whole.p_value,
        bins=tuple(in_bins),
    )


def bins_of(edges: Edges) -> list[QuantityBin]:
    """Return every bin, in the order of the quantities and their edges."""
    return [
        QuantityBin(quantity, low, high)
        for quantity, limits in edges.items()
        for low, high in pairwise(limits)
    ]


def _estimate(found: Replicated, place: int = 0) -> Estimate:
    """Return one number; to the last bit the same, whatever stands beside it."""
    return found.part(slice(place, place + 1)).estimate()


def _refuse(metric: str, where: QuantityBin | None) -> None:
    if where is None:
        raise InputError(f"{metric} does not exist for the events of the held-out fold")
    raise UsageError(
        f"promotion.no_regression_in.{where.quantity}: {metric} does not exist in the bin from "
        f"{where.low:g} to {where.high:g}, which has too few events: choose wider bins"
    )
