"""Samples of signal and background."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config import ClassificationConfig, FoldsConfig, InputsConfig
from rootflow.config.samples import ExpectationConfig
from rootflow.dataset import Dataset, Events
from rootflow.dataset.weights import CLASSES, ClassWeights, class_weights
from rootflow.errors import InputError, UsageError
from rootflow.models import chosen_inputs, refuse_unknown_inputs
from rootflow.training.record import Fact
from rootflow.training.samples import Arrays, Read, Sample, Samples
from rootflow.training.split import split


class Labelled(NamedTuple):
    """The samples of a training, and what is to be said of their weights."""

    samples: Samples
    facts: dict[str, Fact]


def labelled_samples(
    dataset: Dataset, config: ClassificationConfig, folds: FoldsConfig
) -> Labelled:
    """Return the labelled events of all folds but the held-out one, with training's weights.

    Raises
    ------
    UsageError
        The dataset does not have an input.
    InputError
        There are no labels, a sample has less than two events of a class, or the weights
        of a class do not add up to anything positive.
    """
    _refuse_lacking(dataset, config.inputs)
    events = dataset.events()
    if events.label is None or not np.any(events.label >= 0):
        raise InputError(
            f"{dataset.path}: no event has a label, all are data: training needs samples of "
            f"signal and of background"
        )
    parts = split(events, folds, config.training.validation_fraction)
    training, validation = (part[events.label[part] >= 0] for part in parts)
    policy = config.data.weights
    weights = _weights(events.take(training), policy, f"to train for fold {folds.held_out}")
    watching = _weights(events.take(validation), policy, f"to validate for fold {folds.held_out}")
    read = _reader(config.inputs)
    samples = Samples(
        Sample(dataset, training, weights.weight, read),
        Sample(dataset, validation, watching.weight, read),
    )
    return Labelled(samples, _facts(events.take(training), weights))


def _refuse_lacking(dataset: Dataset, inputs: InputsConfig) -> None:
    """Refuse inputs that a dataset does not have: it may be one of before they were there."""
    try:
        refuse_unknown_inputs(inputs, dataset.features)
    except UsageError as error:
        if not dataset.is_of_other_code:
            raise
        raise UsageError(
            f"{error}; {dataset.path} is older than the code: run preprocess again"
        ) from None


def labels(sample: Sample) -> NDArray[np.int8]:
    """Return the labels of a labelled sample, 1 or 0."""
    return _label(sample.dataset.events())[sample.places]


def _label(events: Events) -> NDArray[np.int8]:
    if events.label is None:
        raise ValueError("these events have no labels")
    return events.label


def _weights(events: Events, policy: ExpectationConfig, purpose: str) -> ClassWeights:
    try:
        return class_weights(events.weight, _label(events), policy.negative, policy.class_balance)
    except InputError as error:
        raise InputError(f"{len(events)} events {purpose}: {error}") from None


def _reader(inputs: InputsConfig) -> Read:
    collections = tuple(chosen_inputs(inputs))

    def read(events: Events) -> tuple[Arrays, Arrays]:
        inputs = {name: getattr(events, name) for name in collections}
        return inputs, {"score": _label(events)[:, None].astype(np.float32)}

    return read


def _facts(events: Events, weights: ClassWeights) -> dict[str, Fact]:
    facts: dict[str, Fact] = {}
    for name, value in CLASSES.items():
        of_class = _label(events) == value
        report = weights.report[name]
        facts |= {
            f"{name}_events": int(np.sum(of_class)),
            f"{name}_sum_of_weights": float(events.weight[of_class].sum()),
            f"{name}_training_weight": float(weights.weight[of_class].sum()),
            f"{name}_negative_weight_fraction": report.negative_fraction,
            f"{name}_effective_events_before": report.effective_events_before,
            f"{name}_effective_events_after": report.effective_events_after,
        }
        facts["negative_weights"] = report.policy
    return facts
