"""Losses and metrics of the assignment, weighted by event."""

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
class FocalLoss(keras.Loss):  # type: ignore[misc]
    """The assignment loss times (1 - probability)^2: what is known already counts little.

    T.-Y. Lin et al., arXiv:1708.02002, equation 4, with the focusing parameter 2.
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss (n,) of probabilities (n, J, J), given slots (n, 2)."""
        return focal(AssignmentLoss().call(y_true, y_pred))


@keras.saving.register_keras_serializable(package="rootflow")
class ExclusivityPenalty(keras.Loss):  # type: ignore[misc]
    """The sum over jets of P(jet of b) P(jet of bbar), each summed over the other's jet.

    The two as if they were independent would be the same jet with this probability; it
    does not need the truth.
    """

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:  # noqa: ARG002 - Keras calls it so
        """Return the penalty (n,) of probabilities (n, J, J)."""
        return shared(ops.sum(y_pred, axis=2), ops.sum(y_pred, axis=1))


@keras.saving.register_keras_serializable(package="rootflow")
class AssignmentAccuracy(keras.metrics.Mean):  # type: ignore[misc]
    """Share of the events with both jets known in which the likeliest pair is right."""

    def __init__(self, name: str = "accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Add a batch of slots (n, 2) and probabilities (n, J, J)."""
        known = ops.cast(ops.all(y_true >= 0, axis=-1), "float32")
        weight = known if sample_weight is None else known * ops.cast(sample_weight, "float32")
        super().update_state(is_right(y_true, y_pred), sample_weight=weight)


def focal(entropy: Tensor) -> Tensor:
    """Return minus the logarithm of a probability (n,), times (1 - probability)^2."""
    return ops.square(1.0 - ops.exp(-entropy)) * entropy


def shared(of_b: Tensor, of_bbar: Tensor) -> Tensor:
    """Return the probability (n,) of the same jet, were those of the jets (n, J) independent."""
    return ops.sum(of_b * of_bbar, axis=1)


def is_right(slots: Tensor, probability: Tensor) -> Tensor:
    """Return 1 or 0 (n,), whether the likeliest pair is that of both slots (n, 2)."""
    jets = probability.shape[1]
    best = ops.argmax(ops.reshape(probability, (-1, jets * jets)), axis=-1)
    slots = ops.cast(slots, best.dtype)
    return ops.cast(ops.equal(best, slots[:, 0] * jets + slots[:, 1]), "float32")


def _chosen(slot: Tensor, jets: int) -> Tensor:
    """Return 1 for the known jet, for every jet where none is known."""
    return ops.where(slot[:, None] < 0, 1.0, ops.one_hot(slot, jets))
