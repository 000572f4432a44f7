"""Steps of a compiled network on batches of any size, traced once for each number of jets."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from rootflow.training.samples import Batch

Step = Callable[[Any], dict[str, Any]]
Shape = tuple[int, ...]


class Steps:
    """A model's `train_step` or `test_step`, one graph for each shape of events.

    Keras' own loops make one graph for all shapes, in which no size is known: it is
    slower, and a network that chooses its layers by the size cannot be traced in it.

    Parameters
    ----------
    step
        Of a compiled model whose metrics are built.
    """

    def __init__(self, step: Step) -> None:
        self._step = step
        self._traced: dict[tuple[Shape, ...], Step] = {}

    def __call__(self, batch: Batch) -> dict[str, float]:
        """Take a step and return the model's metrics so far."""
        tensors = keras.tree.map_structure(tf.convert_to_tensor, batch)
        shapes = tuple(tuple(tensor.shape[1:]) for tensor in keras.tree.flatten(tensors))
        if shapes not in self._traced:
            signature = keras.tree.map_structure(_any_number_of, tensors)
            self._traced[shapes] = tf.function(self._step, input_signature=[signature])
        return {name: float(value) for name, value in self._traced[shapes](tensors).items()}


def _any_number_of(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype)
