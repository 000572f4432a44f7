"""Losses and a metric where a b jet may be no jet of the event.

The losses are of the joint probability (n, J + 1, J + 1), its last row and column none; the
truth is slots (n, 2), -1 where the b jet is not among the jets.
"""

from typing import Any

import keras
from keras import ops

from rootflow.models.kinematics import Tensor
from rootflow.models.losses import SMALLEST, focal, shared

THRESHOLDS = 500


@keras.saving.register_keras_serializable(package="rootflow")
class NoMatchLoss(keras.Loss):  # type: ignore[misc]
    """Minus the logarithm of the probability of the truth: pair, one jet alone, or neither."""

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss (n,)."""
        choices = y_pred.shape[1]
        chosen = ops.where(y_true < 0, choices - 1, y_true)
        b, bbar = ops.one_hot(chosen[:, 0], choices), ops.one_hot(chosen[:, 1], choices)
        probability = ops.sum(y_pred * b[:, :, None] * bbar[:, None, :], axis=(1, 2))
        return -ops.log(ops.maximum(probability, SMALLEST))


@keras.saving.register_keras_serializable(package="rootflow")
class NoMatchFocalLoss(keras.Loss):  # type: ignore[misc]
    """`NoMatchLoss` as a focal loss."""

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss (n,)."""
        return focal(NoMatchLoss().call(y_true, y_pred))


@keras.saving.register_keras_serializable(package="rootflow")
class NoMatchExclusivityPenalty(keras.Loss):  # type: ignore[misc]
    """`ExclusivityPenalty` of the jets: none may be both."""

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:  # noqa: ARG002 - Keras calls it so
        """Return the penalty (n,)."""
        return shared(ops.sum(y_pred, axis=2)[:, :-1], ops.sum(y_pred, axis=1)[:, :-1])


@keras.saving.register_keras_serializable(package="rootflow")
class MatchedAUC(keras.metrics.AUC):  # type: ignore[misc]
    """Area under the ROC curve of the probability that both b jets are among the jets."""

    def __init__(self, name: str = "matched_auc", **kwargs: Any) -> None:
        super().__init__(**({"num_thresholds": THRESHOLDS} | kwargs), name=name)

    def update_state(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor = None) -> None:
        """Add a batch of slots (n, 2) and probabilities of the existing pairs (n, J, J)."""
        matched = ops.cast(ops.all(y_true >= 0, axis=-1), "float32")
        probability = ops.sum(y_pred, axis=(1, 2))
        # Rounding may leave a sum above 1, which Keras refuses.
        super().update_state(matched, ops.clip(probability, 0.0, 1.0), sample_weight)
