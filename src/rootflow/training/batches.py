"""Events as a network takes them: whole batches, gathered by their places in the dataset."""

from collections.abc import Iterator

import keras
import numpy as np
from numpy.typing import NDArray

from rootflow.training.samples import Arrays, Batch, Sample

Order = NDArray[np.int64]
# Jet slots that batches are trimmed to, the least that hold all jets of a batch: each has its
# graph, and few events have more jets.
SLOTS = (2, 3, 4, 6)
PADDED = ("jets", "jet_mask")


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """A sample in batches.

    Parameters
    ----------
    sample
        The events.
    parts
        Which of them are in each batch.
    trim
        Leave out jet slots that no event of a batch fills.
    """

    def __init__(self, sample: Sample, parts: list[Order], *, trim: bool = False) -> None:
        super().__init__()
        self.sample = sample
        self.parts = parts
        self.trim = trim

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[Batch]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> Batch:
        # The order within a batch does not matter; the disk is read fastest in its own.
        inputs, targets, weight = self.sample.batch(np.sort(self.parts[number]))
        return (trimmed(inputs) if self.trim else inputs), targets, weight


def in_order(order: Order, size: int) -> list[Order]:
    """Return batches of so many events, the last one smaller where it does not come out even."""
    return [order[start : start + size] for start in range(0, len(order), size)]


def by_multiplicity(
    order: Order, jets: NDArray[np.integer], size: int, seed: list[int]
) -> list[Order]:
    """Return as many batches, of events with about as many jets, shuffled.

    Parameters
    ----------
    order
        Places of events, shuffled: within a multiplicity they stay so.
    jets
        (n,) jets of every event of the sample.
    size
        Events of a batch.
    seed
        Decides in which order the batches come.
    """
    batches = in_order(order[np.argsort(jets[order], kind="stable")], size)
    return [batches[place] for place in np.random.default_rng(seed).permutation(len(batches))]


def trimmed(inputs: Arrays) -> Arrays:
    """Return the inputs without jet slots, at the end, that no event fills."""
    filled = inputs["jet_mask"].sum(axis=1).max()
    slots = next((slots for slots in SLOTS if slots >= filled), None)
    return {name: array[:, :slots] if name in PADDED else array for name, array in inputs.items()}
