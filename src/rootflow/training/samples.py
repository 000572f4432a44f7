"""The events that train and those that watch, with their weights."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config import TtbarConfig
from rootflow.dataset import Dataset, Events
from rootflow.dataset.weights import WeightReport, training_weights
from rootflow.errors import InputError
from rootflow.training.split import split

Batch = tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]], NDArray[np.float32]]

CHUNK = 8192


class Sample:
    """Events of a dataset with weights whose mean is one.

    Parameters
    ----------
    dataset
        From which the events are read, batch by batch.
    places
        Where they are in the dataset, rising.
    weight
        One for each place.
    """

    def __init__(
        self, dataset: Dataset, places: NDArray[np.int64], weight: NDArray[np.float64]
    ) -> None:
        self.dataset = dataset
        self.places = places
        self.weight = weight.astype(np.float32)

    def __len__(self) -> int:
        return len(self.places)

    def batch(self, chosen: NDArray[np.int64]) -> Batch:
        """Return inputs, targets and weights of the chosen events."""
        events = self.dataset.events(self.places[chosen])
        return events.inputs(), events.targets(), self.weight[chosen]

    def chunks(self, at_most: int) -> Iterator[tuple[Events, NDArray[np.float32]]]:
        """Yield events and weights, evenly taken from the sample, at most so many in all."""
        step = -(-len(self) // at_most)
        places, weight = self.places[::step], self.weight[::step]
        for start in range(0, len(places), CHUNK):
            part = slice(start, start + CHUNK)
            yield self.dataset.events(places[part]), weight[part]


class Samples(NamedTuple):
    """The two samples, and what became of the weights of the first."""

    training: Sample
    validation: Sample
    weights: WeightReport


def make_samples(dataset: Dataset, config: TtbarConfig) -> Samples:
    """Return the samples of all folds but the held-out one.

    Raises
    ------
    InputError
        The dataset has no truth, one of the samples has no events, or its weights do not
        add up to anything positive.
    """
    events = dataset.events()
    if events.assignment is None or events.neutrinos is None:
        raise InputError(f"{dataset.path}: these events have no truth: nothing can be learnt")
    parts = split(events, config.data.folds, config.training.validation_fraction)
    policy = config.data.weights.negative
    training, validation = (training_weights(events.weight[part], policy) for part in parts)
    return Samples(
        Sample(dataset, parts.training, training.weight),
        Sample(dataset, parts.validation, validation.weight),
        training.report,
    )
