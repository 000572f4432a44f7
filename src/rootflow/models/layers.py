"""Layers of the networks."""

from typing import Any

import keras
import numpy as np
from keras import ops

from rootflow.models.kinematics import Tensor
from rootflow.models.views import to_detector

FAR = -1e9


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
        return ops.where(allowed, probability, 0.0)


@keras.saving.register_keras_serializable(package="rootflow")
class ExistingPairs(keras.Layer):  # type: ignore[misc]
    """The part of the joint probability in which both are jets."""

    def call(self, joint: Tensor, jet_mask: Tensor) -> Tensor:
        """Return (n, J, J) of (n, J, J) or (n, J + 1, J + 1)."""
        jets = jet_mask.shape[1]
        return joint[:, :jets, :jets]


@keras.saving.register_keras_serializable(package="rootflow")
class NeutrinoMomenta(keras.Layer):  # type: ignore[misc]
    """Momenta in GeV along the detector's axes, from scaled ones along those of each view."""

    def __init__(self, scales: tuple[float, float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scales = tuple(scales)

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        return {**super().get_config(), "scales": self.scales}

    def call(self, scaled: Tensor, axes: Tensor) -> Tensor:
        """Return px, py, pz (n, 2, 3)."""
        transverse, longitudinal = self.scales
        return to_detector(
            scaled * ops.convert_to_tensor([transverse, transverse, longitudinal], "float32"), axes
        )
