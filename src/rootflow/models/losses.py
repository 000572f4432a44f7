"""Losses and metrics, weighted by event."""

from typing import Any

import keras
from keras import ops

from rootflow.models.kinematics import Tensor

SMALLEST = 1e-30


@keras.saving.register_keras_serializable(package="rootflow")
class AssignmentLoss(keras.Loss):  # type: ignore[misc]
    """Minus the logarithm of the probability of what is known of the assignment.

    Where one of the two jets is known only, the probability is summed over the other;
    where none is, the event does not count.
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss (n,) of probabilities (n, J, J), given slots (n, 2)."""
        jets = y_pred.shape[1]
        b_slot, bbar_slot = y_true[:, 0], y_true[:, 1]
        b_row = _chosen(b_slot, jets)[:, :, None]
        bbar_column = _chosen(bbar_slot, jets)[:, None, :]
        probability = ops.sum(y_pred * b_row * bbar_column, axis=(1, 2))
        unknown = ops.logical_and(b_slot < 0, bbar_slot < 0)
        return ops.where(unknown, 0.0, -ops.log(ops.maximum(probability, SMALLEST)))


@keras.saving.register_keras_serializable(package="rootflow")
class NeutrinoLoss(keras.Loss):  # type: ignore[misc]
    """Huber loss of the neutrinos' momenta in units of their scales, mean of components."""

    def __init__(self, scales: tuple[float, float], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scales = tuple(scales)

    def get_config(self) -> dict[str, Any]:
        """Return what the loss is made from."""
        return {**super().get_config(), "scales": self.scales}

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss (n,) of momenta (n, 2, 3) in GeV."""
        transverse, longitudinal = self.scales
        scales = ops.convert_to_tensor([transverse, transverse, longitudinal], "float32")
        residual = ops.abs(y_pred - y_true) / scales
        huber = ops.where(residual < 1.0, 0.5 * ops.square(residual), residual - 0.5)
        return ops.mean(huber, axis=(1, 2))


@keras.saving.register_keras_serializable(package="rootflow")
class AssignmentAccuracy(keras.metrics.Mean):  # type: ignore[misc]
    """Share of the events with both jets known in which the likeliest pair is right."""

    def __init__(self, name: str = "accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Add a batch of slots (n, 2) and probabilities (n, J, J)."""
        jets = y_pred.shape[1]
        best = ops.argmax(ops.reshape(y_pred, (-1, jets * jets)), axis=-1)
        slots = ops.cast(y_true, best.dtype)
        right = ops.equal(best, slots[:, 0] * jets + slots[:, 1])
        known = ops.cast(ops.all(slots >= 0, axis=-1), "float32")
        weight = known if sample_weight is None else known * ops.cast(sample_weight, "float32")
        super().update_state(ops.cast(right, "float32"), sample_weight=weight)


def _chosen(slot: Tensor, jets: int) -> Tensor:
    """Return 1 for the known jet, for every jet where none is known."""
    return ops.where(slot[:, None] < 0, 1.0, ops.one_hot(slot, jets))
