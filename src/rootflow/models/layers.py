"""Layers of the networks."""

import keras
from keras import ops

from rootflow.models.kinematics import Tensor

FAR = -1e9


@keras.saving.register_keras_serializable(package="rootflow")
class JointProbability(keras.Layer):  # type: ignore[misc]
    """Softmax over all ordered pairs of two different jets that exist."""

    def call(self, scores: Tensor, jet_mask: Tensor) -> Tensor:
        """Return probabilities (n, J, J) from scores (n, J, J)."""
        jets = scores.shape[1]
        allowed = ops.logical_and(jet_mask[:, :, None], jet_mask[:, None, :])
        allowed = ops.logical_and(allowed, ops.logical_not(ops.eye(jets, dtype="bool")))
        flat = ops.reshape(ops.where(allowed, scores, FAR), (-1, jets * jets))
        probability = ops.reshape(ops.softmax(flat, axis=-1), (-1, jets, jets))
        return ops.where(allowed, probability, 0.0)
