"""Weights of the events of a training, and what it does with negative ones."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.errors import InputError

FEWEST_EVENTS = 2

Policy = Literal["keep", "absolute", "drop"]


class WeightReport(NamedTuple):
    """What a policy for negative weights does to the effective sample size of events."""

    policy: Policy
    negative_fraction: float
    effective_events_before: float
    effective_events_after: float


class TrainingWeights(NamedTuple):
    """Weights to train with, (n,) float64, and what became of the nominal ones."""

    weight: NDArray[np.float64]
    report: WeightReport


class ClassWeights(NamedTuple):
    """Weights to train with, (n,) float64, and what became of those of each class."""

    weight: NDArray[np.float64]
    report: dict[str, WeightReport]


def training_weights(weight: NDArray[np.float64], policy: Policy) -> TrainingWeights:
    """Return the weights (n,) that training uses, scaled to a mean of one.

    "keep" leaves nominal weights as they are: the loss is the right one on average, but no longer
    bounded below where negative weights prevail. "absolute" takes their sign away, which is stable
    and learns from another mixture of events. "drop" gives events of negative weight the weight
    zero.
    """
    changed, report = _by_policy(weight, policy, "the nominal weights")
    return TrainingWeights(changed / changed.mean(), report)


def class_weights(
    weight: NDArray[np.float64],
    label: NDArray[np.int8],
    negative: Policy,
    class_balance: bool,
    classes: Sequence[str] = ("background", "signal"),
) -> ClassWeights:
    """Return the weights (n,) to tell classes apart with, scaled to a mean of one.

    `label` is the place of each event's class; `class_balance` gives all classes the same sum of
    weights, after the policy of `training_weights`.
    """
    unlabelled = int(np.sum(~np.isin(label, range(len(classes)))))
    if unlabelled:
        raise InputError(
            f"{unlabelled} of {len(label)} events are of none of the classes: training "
            f"needs labels, which real data does not have"
        )
    changed = np.zeros(len(weight))
    report = {}
    for value, name in enumerate(classes):
        of_class = label == value
        events = int(of_class.sum())
        if events < FEWEST_EVENTS:
            found = f"{events} event" if events else "no event"
            raise InputError(
                f"there is {found} of {name}: training and validation need {FEWEST_EVENTS} or "
                f"more of each class; the cutflow of preprocess says where they went"
            )
        changed[of_class], report[name] = _by_policy(
            weight[of_class], negative, f"the weights of {name}"
        )
        if class_balance:
            changed[of_class] /= changed[of_class].sum()
    return ClassWeights(changed / changed.mean(), report)


def _by_policy(
    weight: NDArray[np.float64], policy: Policy, what: str
) -> tuple[NDArray[np.float64], WeightReport]:
    total = float(np.sum(weight))
    if not total > 0:
        raise InputError(
            f"{what} of {len(weight)} events add up to {total:g}, {int(np.sum(weight < 0))} of "
            f"them are negative: training and validation need a positive sum"
        )
    changed = {
        "keep": weight.astype(np.float64),
        "absolute": np.abs(weight),
        "drop": np.where(weight < 0, 0.0, weight),
    }[policy]
    report = WeightReport(
        policy=policy,
        negative_fraction=float(np.mean(weight < 0)),
        effective_events_before=effective_events(weight),
        effective_events_after=effective_events(changed),
    )
    return changed, report


def effective_events(weight: NDArray[np.float64]) -> float:
    """Return the effective sample size, (sum w)^2 / sum w^2.

    L. Kish, Survey Sampling, Wiley 1965, section 8.2; the number of events of equal
    weight with the same relative statistical uncertainty.
    """
    squares = float(np.sum(weight**2))
    return float(np.sum(weight)) ** 2 / squares if squares else 0.0
