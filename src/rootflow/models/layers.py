"""Layers of the networks."""

from typing import Any

import keras
from keras import ops

from rootflow.models.kinematics import Tensor
from rootflow.models.views import to_detector

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
