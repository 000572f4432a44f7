"""Layers of the networks."""

from typing import Any

import keras
from keras import ops

from rootflow.models.kinematics import Tensor
from rootflow.models.views import to_detector

FAR = -1e9


@keras.saving.register_keras_serializable(package="rootflow")
class SelfAttention(keras.Layer):  # type: ignore[misc]
    """Multi-head self-attention (arXiv:1706.03762, section 3.2) over a padded set.

    Queries, keys and values are one product, and the heads are an axis of the batch, so
    that the graph has few operations, and no other than matrix products and a softmax.
    """

    def __init__(self, heads: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.width = width
        self.project = keras.layers.Dense(3 * width, use_bias=False, name="project")
        self.merge = keras.layers.Dense(width, name="merge")

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made from."""
        return {**super().get_config(), "heads": self.heads, "width": self.width}

    def build(self, tokens_shape: tuple[int | None, ...]) -> None:
        """Make the weights."""
        self.project.build(tokens_shape)
        self.merge.build(tokens_shape)

    def call(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Return (n, T, width) from tokens (n, T, width), present (n, T)."""
        count, size = tokens.shape[1], self.width // self.heads
        parts = ops.reshape(self.project(tokens), (-1, count, 3, self.heads, size))
        query, key, value = ops.unstack(ops.transpose(parts, (2, 0, 3, 1, 4)), 3, axis=0)
        scores = ops.matmul(query * size**-0.5, ops.transpose(key, (0, 1, 3, 2)))
        scores = scores + ops.where(present, 0.0, FAR)[:, None, None, :]
        mixed = ops.matmul(ops.softmax(scores, axis=-1), value)
        return self.merge(ops.reshape(ops.transpose(mixed, (0, 2, 1, 3)), (-1, count, self.width)))


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
