"""Settings of the training."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from rootflow.config.block import Block
from rootflow.config.losses import LossesConfig
from rootflow.config.plugin import own_or

CLASSIFIER_LOSSES = ("cross_entropy", "focal")


class TrainingConfig(Block):
    """How the network is fitted."""

    epochs: PositiveInt = Field(10, description="passes over the training events")
    batch_size: PositiveInt = Field(256, le=10_000_000, description="events of each step")
    learning_rate: PositiveFloat = Field(1e-3, description="the highest: it warms up and decays")
    warmup_fraction: float = Field(
        0.05, ge=0, lt=1, description="share of all steps in which the learning rate rises"
    )
    weight_decay: NonNegativeFloat = Field(1e-2, description="of AdamW; not on biases and norms")
    ema_decay: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="of a running mean of the weights, which is what is kept; none: the weights",
    )
    gradient_norm: PositiveFloat = Field(1.0, description="a longer gradient is cut to this norm")
    validation_fraction: float = Field(
        0.1, gt=0, lt=1, description="share of the training folds kept for early stopping"
    )
    patience: PositiveInt = Field(5, description="epochs without improvement before it stops")
    max_steps: PositiveInt | None = Field(None, description="stop after so many batches")
    fast_dev_run: bool = Field(False, description="a few batches, to see that all of it works")

    def own_losses(self) -> Mapping[str, str]:
        """Return the names of functions of one's own, by what their losses are called."""
        return {}


class ClassifierTrainingConfig(TrainingConfig):
    """How a network is fitted that tells classes apart."""

    loss: Annotated[str, own_or(CLASSIFIER_LOSSES, "training.loss")] = Field(
        "cross_entropy",
        description="cross_entropy, focal (arXiv:1708.02002, focusing parameter 2), or "
        "package.module:function, or an entry point of rootflow.losses",
    )

    def own_losses(self) -> Mapping[str, str]:
        """Return the name of the function of one's own."""
        return {} if self.loss in CLASSIFIER_LOSSES else {"loss": self.loss}


class ReconstructionTrainingConfig(TrainingConfig):
    """How a network is fitted that assigns jets and gives the neutrinos."""

    losses: LossesConfig = LossesConfig()
    neutrino_loss_weight: NonNegativeFloat = Field(
        1.0, description="of the neutrinos' loss beside that of the assignment"
    )

    def own_losses(self) -> Mapping[str, str]:
        """Return the names of functions of one's own, by what their losses are called."""
        return self.losses.own()
