"""Event weights: their scale, and what training does with negative ones."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import WeightsConfig
from rootflow.dataset.manifest import Normalisation
from rootflow.errors import InputError

PB_TIMES_FB_INVERSE = 1000.0

Policy = Literal["keep", "absolute", "drop"]


class WeightReport(NamedTuple):
    """What a policy for negative weights does to n events.

    Attributes
    ----------
    policy
        Its name.
    negative_fraction
        Share of events whose weight is negative, before.
    effective_events_before, effective_events_after
        Effective sample size, see `effective_events`.
    """

    policy: Policy
    negative_fraction: float
    effective_events_before: float
    effective_events_after: float


class TrainingWeights(NamedTuple):
    """Weights to train with, (n,) float64, and what became of the nominal ones."""

    weight: NDArray[np.float64]
    report: WeightReport


def training_weights(weight: NDArray[np.float64], policy: Policy) -> TrainingWeights:
    """Return the weights that training uses, scaled to a mean of one.

    Parameters
    ----------
    weight
        (n,) nominal weights.
    policy
        "keep": as they are. The loss is then the right one on average, but it is no longer
        bounded below where negative weights prevail. "absolute": without their sign, which
        is stable and learns from another mixture of events. "drop": events of negative
        weight get weight zero.

    Raises
    ------
    InputError
        The weights do not add up to anything positive, before or after.
    """
    _require_positive_sum(weight, "the nominal weights")
    if policy == "keep":
        changed = weight.astype(np.float64)
    elif policy == "absolute":
        changed = np.abs(weight)
    else:
        changed = np.where(weight < 0, 0.0, weight)
    report = WeightReport(
        policy=policy,
        negative_fraction=float(np.mean(weight < 0)),
        effective_events_before=effective_events(weight),
        effective_events_after=effective_events(changed),
    )
    return TrainingWeights(changed / changed.mean(), report)


def effective_events(weight: NDArray[np.float64]) -> float:
    """Return the effective sample size, (sum w)^2 / sum w^2.

    L. Kish, Survey Sampling, Wiley 1965, section 8.2; the number of events of equal
    weight with the same relative statistical uncertainty.
    """
    squares = float(np.sum(weight**2))
    return float(np.sum(weight)) ** 2 / squares if squares else 0.0


def normalisation(config: WeightsConfig, sum_of_weights_read: float) -> Normalisation | None:
    """Return how weights are scaled to the expected events, None where they are not.

    Raises
    ------
    InputError
        The weights that were read do not add up to anything positive.
    """
    if config.cross_section_pb is None or config.luminosity_fb_inverse is None:
        return None
    total = config.sum_of_weights or sum_of_weights_read
    if total <= 0:
        raise InputError(
            f"the weights of all events that were read add up to {total:g}: "
            f"they cannot be scaled to a cross section"
        )
    return Normalisation(
        cross_section_pb=config.cross_section_pb,
        luminosity_fb_inverse=config.luminosity_fb_inverse,
        sum_of_weights=total,
    )


def scale(normalisation: Normalisation) -> float:
    """Return cross section times luminosity over sum of weights."""
    expected = (
        normalisation.cross_section_pb * normalisation.luminosity_fb_inverse * PB_TIMES_FB_INVERSE
    )
    return expected / normalisation.sum_of_weights


def _require_positive_sum(weight: NDArray[np.float64], what: str) -> None:
    total = float(np.sum(weight))
    if not total > 0:
        raise InputError(
            f"{what} of {len(weight)} events add up to {total:g}, {int(np.sum(weight < 0))} of "
            f"them are negative: training and validation need a positive sum"
        )
