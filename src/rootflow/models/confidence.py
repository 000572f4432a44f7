"""How sure a network may be of its assignment."""

from typing import Any

import keras
from keras import layers, ops

from rootflow.models.kinematics import Tensor
from rootflow.models.layers import ConfiguredLayer

CONFIDENCE = "confidence"
SMALLEST = 1e-6


@keras.saving.register_keras_serializable(package="rootflow")
class Confidence(ConfiguredLayer):
    """The probability that the likeliest pair of jets is right, if its jets are there.

    A layer of its own on the trunk's features, summed over the views, and on how the
    probabilities of the two likeliest pairs are; it does not change these.
    """

    made_from = ("width",)

    def __init__(self, width: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.hidden = layers.Dense(width, activation="silu", name="hidden")
        self.logit = layers.Dense(1, name="logit")

    def build(self, features_shape: Any, assignment_shape: Any) -> None:  # noqa: ARG002 - of Keras
        """Make the weights."""
        self.hidden.build((None, features_shape[-1] + 2))
        self.logit.build((None, self.width))

    def call(self, features: Tensor, assignment: Tensor) -> Tensor:
        """Return (n,) of features (n, 2, width) and probabilities (n, J, J)."""
        flat = ops.reshape(assignment, (-1, assignment.shape[1] * assignment.shape[2]))
        likeliest = ops.stop_gradient(ops.flip(ops.sort(flat, axis=-1), axis=-1)[:, :2])
        odds = ops.log(likeliest + SMALLEST) - ops.log(1.0 - likeliest + SMALLEST)
        both = ops.sum(features, axis=1)
        said = self.logit(self.hidden(ops.concatenate([both, odds], axis=-1)))
        return ops.sigmoid(said[:, 0])
