"""Numbers of an event side by side, of which any arrangement is picked at once.

What a graph takes for one event is the number of its operations, and most of them would take
features apart, repeat them and put them together in another order. Here any arrangement is
one operation, and what is where is worked out when the network is built.
"""

from collections.abc import Mapping

import numpy as np
from keras import ops
from numpy.typing import NDArray

from rootflow.models.kinematics import Tensor

Places = NDArray[np.int32]


class Rows:
    """The rows of several tensors one under another.

    Parameters
    ----------
    tensors
        By name, each (n, rows, S).

    Attributes
    ----------
    all
        (n, K, S).
    numbers
        Which of the K are those of each tensor.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.all = ops.concatenate(list(tensors.values()), axis=1)
        self.numbers = _places(tensors, [tensor.shape[1] for tensor in tensors.values()])

    def pick(self, numbers: Places) -> Tensor:
        """Return rows by their numbers, (n, ..., S)."""
        return ops.take(self.all, numbers, axis=1)


class Columns:
    """All numbers of several tensors in one row for each event.

    Parameters
    ----------
    tensors
        By name, each (n, ...) with all other axes known.

    Attributes
    ----------
    places
        Where the numbers of each tensor are, in its shape without the events.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        sizes = [int(np.prod(tensor.shape[1:])) for tensor in tensors.values()]
        flat = _places(tensors, sizes)
        self.places = {name: flat[name].reshape(each.shape[1:]) for name, each in tensors.items()}
        rows = [ops.reshape(tensor, (-1, flat[name].size)) for name, tensor in tensors.items()]
        self._row = ops.concatenate(rows, axis=1) if len(rows) > 1 else rows[0]

    def pick(self, places: Places) -> Tensor:
        """Return the numbers at some places, (n, ...) in the shape of the places."""
        return ops.take(self._row, places, axis=1)


def _places(names: Mapping[str, Tensor], sizes: list[int]) -> dict[str, Places]:
    ends = np.cumsum(sizes, dtype=np.int32)
    every = np.split(np.arange(ends[-1], dtype=np.int32), ends[:-1])
    return dict(zip(names, every, strict=True))
