"""Steps of a compiled model on batches of any size, traced once for each number of jets."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from rootflow.training.samples import Batch

Metrics = dict[str, float]


class Steps:
    """Training and test steps of a model, with a graph for each shape of events.

    Keras' own loops make one graph for all shapes, in which no size is known: it is
    slower, and a network that chooses its layers by the size cannot be traced in it.
    The optimizer, which sees no events, has one graph of its own.

    Gradients are summed two at a time, for the reason in `make_deterministic`. The model is
    compiled, its optimizer and its metrics are built.
    """

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        self._learn = _TracedByShape(self._gradients_and_metrics)
        self._test = _TracedByShape(model.test_step)
        self._apply = tf.function(model.optimizer.apply)

    def train(self, batch: Batch) -> Metrics:
        """Change the weights and return the metrics so far, `loss` of this batch alone."""
        gradients, metrics = self._learn(batch)
        self._apply(gradients)
        return _numbers(metrics)

    def test(self, batch: Batch) -> Metrics:
        """Return the metrics so far."""
        return _numbers(self._test(batch))

    def _gradients_and_metrics(self, batch: Any) -> tuple[Any, dict[str, Any]]:
        inputs, targets, weight = batch
        model = self._model
        said = model(inputs, training=True)
        loss = model.compute_loss(inputs, targets, said, weight, training=True)
        metrics = model.compute_metrics(inputs, targets, said, weight)
        gradients = tf.gradients(
            loss,
            [variable.value for variable in model.trainable_variables],
            aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE,
        )
        return gradients, {**metrics, "loss": loss}


class _TracedByShape:
    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self._traced: dict[tuple[tuple[int, ...], ...], Callable[[Any], Any]] = {}

    def __call__(self, batch: Batch) -> Any:
        tensors = keras.tree.map_structure(tf.convert_to_tensor, batch)
        shapes = tuple(tuple(tensor.shape[1:]) for tensor in keras.tree.flatten(tensors))
        if shapes not in self._traced:
            signature = keras.tree.map_structure(_of_any_number, tensors)
            self._traced[shapes] = tf.function(self._function, input_signature=[signature])
        return self._traced[shapes](tensors)


def _of_any_number(tensor: tf.Tensor) -> tf.TensorSpec:
    return tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype)


def _numbers(metrics: dict[str, Any]) -> Metrics:
    return {name: float(value) for name, value in metrics.items()}
