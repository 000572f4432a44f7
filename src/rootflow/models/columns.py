"""Numbers of an event side by side, of which features are picked all at once."""

from collections.abc import Mapping

import numpy as np
from keras import ops
from numpy.typing import NDArray

from rootflow.models.kinematics import Tensor

Places = NDArray[np.int32]


class Columns:
    """The numbers of several tensors in one row for each event.

    Taking features apart and putting them together one by one is what costs a graph most of
    its operations; from here any arrangement of them is a single one.

    Parameters
    ----------
    tensors
        By name, each (n, ...) with all other axes known.

    Attributes
    ----------
    places
        Of each tensor where its numbers are, in its shape without the events.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.places: dict[str, Places] = {}
        start = 0
        for name, tensor in tensors.items():
            shape = tensor.shape[1:]
            size = int(np.prod(shape))
            self.places[name] = np.arange(start, start + size, dtype=np.int32).reshape(shape)
            start += size
        rows = [ops.reshape(t, (-1, self.places[name].size)) for name, t in tensors.items()]
        self._row = ops.concatenate(rows, axis=1)

    def pick(self, places: Places) -> Tensor:
        """Return the numbers at these places, (n, ...) with the shape of the places."""
        return ops.take(self._row, places, axis=1)
