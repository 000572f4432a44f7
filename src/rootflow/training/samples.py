"""The events that train and those that watch, with their weights, and in batches."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldsConfig
from rootflow.dataset import Dataset, Events
from rootflow.dataset.folds import fold_of, mix
from rootflow.errors import InputError

Arrays = dict[str, NDArray[Any]]
Batch = tuple[Arrays, Arrays, NDArray[np.float32]]
Order = NDArray[np.int64]
# Events to what goes into the network, and what should come out.
Read = Callable[[Events], tuple[Arrays, Arrays]]

CHUNK = 8192
PADDED = ("jets", "jet_mask")
# Any number would do: it makes the split independent of the fold, which has none.
SALT = np.uint64(0x5EED0F5A11D)
# Jet slots that batches are trimmed to, the least that hold all jets of a batch: each has its
# graph, and few events have more jets.
SLOTS = (2, 3, 4, 6)


class WeightedSample:
    """Events at some places of a dataset, rising, with weights whose mean is one.

    They are read batch by batch; `read` says what of them is inputs, and what targets.
    """

    def __init__(
        self, dataset: Dataset, places: Order, weight: NDArray[np.floating], read: Read
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

    def evenly(self, at_most: int) -> "WeightedSample":
        """Return a sample of at most so many of the events, evenly taken."""
        step = -(-len(self) // at_most)
        return WeightedSample(self.dataset, self.places[::step], self.weight[::step], self.read)

    def chunks(self) -> Iterator[tuple[Events, NDArray[np.float32]]]:
        """Yield events and weights."""
        for start in range(0, len(self), CHUNK):
            part = slice(start, start + CHUNK)
            yield self.dataset.events(self.places[part]), self.weight[part]


class Samples(NamedTuple):
    """The events that train, and those that watch."""

    training: WeightedSample
    validation: WeightedSample

    @classmethod
    def at(
        cls, dataset: Dataset, parts: Iterable[Order], weights: Iterable[Any], read: Read
    ) -> Self:
        """Return the events at places of a dataset, and their weights, of both."""
        pairs = zip(parts, weights, strict=True)
        return cls(*(WeightedSample(dataset, part, weight, read) for part, weight in pairs))


def split(
    events: Events, folds: FoldsConfig, validation_fraction: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the events that train are, and those that watch, of the folds not held out.

    Where an event goes is a matter of its event number alone, so more files, or files in another
    order, leave every event where it was. None in one of the two is an InputError.
    """
    outside = fold_of(events.fold_numbers, folds) != folds.held_out
    share = mix(events.fold_numbers ^ SALT) / 2.0**64
    validates = share < validation_fraction
    parts = np.flatnonzero(outside & ~validates), np.flatnonzero(outside & validates)
    for purpose, part in zip(("train on", "validate with"), parts, strict=True):
        if not len(part):
            raise InputError(
                f"no events to {purpose}: {np.sum(outside)} of {len(events)} events are outside "
                f"the held-out fold {folds.held_out}, training.validation_fraction is "
                f"{validation_fraction:g}; more events are needed"
            )
    return parts


def batches(
    sample: WeightedSample, parts: Iterable[Order], *, trim: bool = False
) -> Iterator[Batch]:
    """Yield parts of a sample; trimmed ones have no jet slots that no event fills."""
    for part in parts:
        # The order within a batch does not matter; the disk is read fastest in its own.
        inputs, targets, weight = sample.batch(np.sort(part))
        yield trimmed(inputs) if trim else inputs, targets, weight


def in_order(order: Order, size: int) -> list[Order]:
    """Return batches of so many events, the last one smaller where it does not come out even."""
    return [order[start : start + size] for start in range(0, len(order), size)]


def by_multiplicity(
    order: Order, jets: NDArray[np.integer], size: int, seed: list[int]
) -> list[Order]:
    """Return batches of so many events with about as many jets, in an order of the seed's."""
    batches = in_order(order[np.argsort(jets[order], kind="stable")], size)
    return [batches[place] for place in np.random.default_rng(seed).permutation(len(batches))]


def trimmed(inputs: Arrays) -> Arrays:
    """Return the inputs without jet slots, at the end, that no event fills."""
    filled = inputs["jet_mask"].sum(axis=1).max()
    slots = next((slots for slots in SLOTS if slots >= filled), None)
    return {name: array[:, :slots] if name in PADDED else array for name, array in inputs.items()}
