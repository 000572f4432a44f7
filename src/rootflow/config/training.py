"""Settings of the training."""

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from rootflow.config.block import Block


class TrainingConfig(Block):
    """How the network is fitted."""

    epochs: PositiveInt = 20
    batch_size: PositiveInt = 256
    learning_rate: PositiveFloat = 1e-3
    weight_decay: NonNegativeFloat = 1e-2
    validation_fraction: float = Field(
        0.1, gt=0, lt=1, description="share of the training folds kept for early stopping"
    )
    patience: PositiveInt = Field(5, description="epochs without improvement before it stops")
    neutrino_loss_weight: NonNegativeFloat = 1.0
    max_steps: PositiveInt | None = Field(None, description="stop after so many batches")
    fast_dev_run: bool = Field(False, description="a few batches, to see that all of it works")
