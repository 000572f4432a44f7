"""The events that train and those that watch, with their weights."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset import Dataset, Events

Arrays = dict[str, NDArray[Any]]
Batch = tuple[Arrays, Arrays, NDArray[np.float32]]
# Events to what goes into the network, and what should come out.
Read = Callable[[Events], tuple[Arrays, Arrays]]

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
    read
        What of the events is inputs, and what targets.
    """

    def __init__(
        self,
        dataset: Dataset,
        places: NDArray[np.int64],
        weight: NDArray[np.floating],
        read: Read,
    ) -> None:
        self.dataset = dataset
        self.places = places
        self.weight: NDArray[np.float32] = weight.astype(np.float32)
        self.read = read

    def __len__(self) -> int:
        return len(self.places)

    def batch(self, chosen: NDArray[np.int64]) -> Batch:
        """Return inputs, targets and weights of the chosen events."""
        inputs, targets = self.read(self.dataset.events(self.places[chosen]))
        return inputs, targets, self.weight[chosen]

    def jets(self) -> NDArray[np.int64]:
        """Return (n,) how many jets each event has."""
        count: NDArray[np.int64] = self.dataset.events().jet_mask.sum(axis=1)[self.places]
        return count

    def evenly(self, at_most: int) -> "Sample":
        """Return a sample of at most so many of the events, evenly taken."""
        step = -(-len(self) // at_most)
        return Sample(self.dataset, self.places[::step], self.weight[::step], self.read)

    def chunks(self) -> Iterator[tuple[Events, NDArray[np.float32]]]:
        """Yield events and weights."""
        for start in range(0, len(self), CHUNK):
            part = slice(start, start + CHUNK)
            yield self.dataset.events(self.places[part]), self.weight[part]


class Samples(NamedTuple):
    """The events that train, and those that watch."""

    training: Sample
    validation: Sample
