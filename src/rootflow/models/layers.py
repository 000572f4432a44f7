"""Layers of the networks."""

from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops

from rootflow.models.kinematics import Tensor

FAR = -1e9


class ConfiguredLayer(keras.Layer):  # type: ignore[misc]
    """A layer that is saved as the arguments it is `made_from`, its attributes by these names."""

    made_from: ClassVar[tuple[str, ...]]

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        return {**super().get_config(), **{name: getattr(self, name) for name in self.made_from}}


@keras.saving.register_keras_serializable(package="rootflow")
class JointProbability(keras.Layer):  # type: ignore[misc]
    """Softmax over all ordered pairs of two different jets that exist, and of none."""

    def call(self, scores: Tensor, jet_mask: Tensor) -> Tensor:
        """Return probabilities of the shape of the scores.

        They are (n, J, J), or (n, J + 1, J + 1) where the last row and column are none.
        """
        jets, choices = jet_mask.shape[1], scores.shape[1]
        if choices > jets:
            jet_mask = ops.concatenate([jet_mask, ops.ones_like(jet_mask[:, :1])], axis=1)
        allowed = ops.logical_and(jet_mask[:, :, None], jet_mask[:, None, :])
        # The same jet twice, but none may be both.
        twice = np.eye(choices, dtype=bool) & (np.arange(choices) < jets)
        allowed = ops.logical_and(allowed, ops.convert_to_tensor(~twice))
        flat = ops.reshape(ops.where(allowed, scores, FAR), (-1, choices * choices))
        probability = ops.reshape(ops.softmax(flat, axis=-1), (-1, choices, choices))
        return probability * ops.cast(allowed, probability.dtype)


@keras.saving.register_keras_serializable(package="rootflow")
class ExistingPairs(keras.Layer):  # type: ignore[misc]
    """The part of the joint probability in which both are jets."""

    def call(self, joint: Tensor, jet_mask: Tensor) -> Tensor:
        """Return (n, J, J) of (n, J, J) or (n, J + 1, J + 1)."""
        jets = jet_mask.shape[1]
        return joint[:, :jets, :jets]
