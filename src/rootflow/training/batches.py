"""Events as Keras takes them: whole batches, gathered by their places in the dataset."""

import keras
import numpy as np
from numpy.typing import NDArray

from rootflow.training.samples import Batch, Sample


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """A sample in batches.

    Parameters
    ----------
    sample
        The events.
    order
        Which of them, and in which order.
    size
        Events of a batch; the last one may be smaller.
    """

    def __init__(self, sample: Sample, order: NDArray[np.int64], size: int) -> None:
        super().__init__()
        self.sample = sample
        self.order = order
        self.size = size

    def __len__(self) -> int:
        return -(-len(self.order) // self.size)

    def __getitem__(self, number: int) -> Batch:
        chosen = self.order[number * self.size : (number + 1) * self.size]
        # The order within a batch does not matter; the disk is read fastest in its own.
        return self.sample.batch(np.sort(chosen))
