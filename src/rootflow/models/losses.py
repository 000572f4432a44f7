"""Losses and metrics of the assignment.

Losses are numbers (n,) of slots (n, 2), -1 where a b jet is not known, and of the joint
probability of pairs: (n, J, J), or (n, J + 1, J + 1) where none of the jets is a choice, too, the
last row and column.
"""

from collections.abc import Callable

import keras
from keras import ops

from rootflow.models.kinematics import Tensor

SMALLEST = 1e-30
Loss = Callable[[Tensor, Tensor], Tensor]


def cross_entropy(slots: Tensor, probability: Tensor) -> Tensor:
    """Return minus the logarithm of the probability of what is known of the assignment.

    Where one of the two jets is known only, the probability is summed over the other;
    where none is, the event does not count.
    """
    jets = probability.shape[1]
    b_slot, bbar_slot = slots[:, 0], slots[:, 1]
    b_row, bbar_column = _chosen(b_slot, jets)[:, :, None], _chosen(bbar_slot, jets)[:, None, :]
    known = ops.sum(probability * b_row * bbar_column, axis=(1, 2))
    unknown = ops.logical_and(b_slot < 0, bbar_slot < 0)
    return ops.where(unknown, 0.0, -ops.log(ops.maximum(known, SMALLEST)))


def cross_entropy_with_none(slots: Tensor, probability: Tensor) -> Tensor:
    """Return minus the logarithm of the probability of the truth: pair, one jet alone, neither."""
    choices = probability.shape[1]
    chosen = ops.where(slots < 0, choices - 1, slots)
    b, bbar = ops.one_hot(chosen[:, 0], choices), ops.one_hot(chosen[:, 1], choices)
    true = ops.sum(probability * b[:, :, None] * bbar[:, None, :], axis=(1, 2))
    return -ops.log(ops.maximum(true, SMALLEST))


def focal(loss: Loss) -> Loss:
    """Return a cross-entropy times (1 - probability)^2: what is known already counts little.

    T.-Y. Lin et al., arXiv:1708.02002, equation 4, with the focusing parameter 2.
    """

    def focused(slots: Tensor, probability: Tensor) -> Tensor:
        entropy = loss(slots, probability)
        return ops.square(1.0 - ops.exp(-entropy)) * entropy

    return focused


def exclusivity(slots: Tensor, probability: Tensor) -> Tensor:  # noqa: ARG001 - as others
    """Return the sum over jets of P(jet of b) P(jet of bbar), each summed over the other's jet.

    The two as if they were independent would be the same jet with this probability; it
    does not need the truth.
    """
    return ops.sum(ops.sum(probability, axis=2) * ops.sum(probability, axis=1), axis=1)


def exclusivity_with_none(slots: Tensor, probability: Tensor) -> Tensor:  # noqa: ARG001 - as others
    """Return the same of the jets: none may be both."""
    b, bbar = ops.sum(probability, axis=2), ops.sum(probability, axis=1)
    return ops.sum(b[:, :-1] * bbar[:, :-1], axis=1)


class LossOf(keras.Loss):  # type: ignore[misc]
    """The loss that is a function of the target and of what is said, (n,)."""

    def __init__(self, function: Loss) -> None:
        super().__init__()
        self.call = function


LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "focal": focal(cross_entropy),
    "exclusivity": exclusivity,
}
LOSSES_WITH_NONE: dict[str, Loss] = {
    "cross_entropy": cross_entropy_with_none,
    "focal": focal(cross_entropy_with_none),
    "exclusivity": exclusivity_with_none,
}


class AssignmentAccuracy(keras.metrics.Mean):  # type: ignore[misc]
    """Share of the events with both jets known in which the likeliest pair is right."""

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Add a batch of slots (n, 2) and probabilities (n, J, J)."""
        known = ops.cast(ops.all(y_true >= 0, axis=-1), "float32")
        weight = known if sample_weight is None else known * ops.cast(sample_weight, "float32")
        super().update_state(is_right(y_true, y_pred), sample_weight=weight)


class MatchedAUC(keras.metrics.AUC):  # type: ignore[misc]
    """Area under the ROC curve of the probability that both b jets are among the jets."""

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Add a batch of slots (n, 2) and probabilities of the existing pairs (n, J, J)."""
        matched = ops.cast(ops.all(y_true >= 0, axis=-1), "float32")
        probability = ops.sum(y_pred, axis=(1, 2))
        # Rounding may leave a sum above 1, which Keras refuses.
        super().update_state(matched, ops.clip(probability, 0.0, 1.0), sample_weight)


def is_right(slots: Tensor, probability: Tensor) -> Tensor:
    """Return 1 or 0 (n,), whether the likeliest pair is that of both slots (n, 2)."""
    jets = probability.shape[1]
    best = ops.argmax(ops.reshape(probability, (-1, jets * jets)), axis=-1)
    slots = ops.cast(slots, best.dtype)
    return ops.cast(ops.equal(best, slots[:, 0] * jets + slots[:, 1]), "float32")


def _chosen(slot: Tensor, jets: int) -> Tensor:
    """Return 1 for the known jet, for every jet where none is known."""
    return ops.where(slot[:, None] < 0, 1.0, ops.one_hot(slot, jets))
