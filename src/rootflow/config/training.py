"""Settings of the training, and of what a network is fitted to make small."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from rootflow.config.block import Block
from rootflow.config.plugin import own_or

LOSS = "training.losses"
OF_JETS = ("cross_entropy", "focal", "exclusivity")
OF_NEUTRINOS = (
    "huber", "mse", "mae", "pt_eta_phi", "magnitude_direction", "rest_frame", "w_mass", "top_mass",
    "bins", "density",
)  # fmt: skip


class LossesConfig(Block):
    """Which losses there are, each with its weight among those of its kind."""

    assignment: dict[Annotated[str, own_or(OF_JETS, LOSS)], PositiveFloat] = Field(
        {"cross_entropy": 1.0},
        min_length=1,
        description=f"of the jets: {', '.join(OF_JETS)}, or package.module:function",
    )
    neutrinos: dict[Annotated[str, own_or(OF_NEUTRINOS, LOSS)], PositiveFloat] | None = Field(
        None,
        min_length=1,
        description=f"{', '.join(OF_NEUTRINOS)}, or package.module:function; none: what the head "
        "learns by itself, else huber",
    )
    confidence: PositiveFloat = Field(1.0, description="of the confidence, where there is one")

    def of_neutrinos(self, head: str) -> dict[str, float]:
        """Return the losses of neutrinos and their weights; ValueError of one not of the head."""
        own = {"binned": "bins", "flow": "density"}.get(head, "huber")
        if self.neutrinos is None:
            return {own: 1.0}
        for name in self.neutrinos:
            if name in ("bins", "density") and name != own:
                wanted = "binned" if name == "bins" else "flow"
                raise ValueError(f"{name} needs model.neutrinos.head={wanted}, this is {head}")
            if head == "flow" and name != own:
                raise ValueError(f"{name}: a flow learns by its density alone")
        return {key_of(name): weight for name, weight in self.neutrinos.items()}

    def of_assignment(self) -> dict[str, float]:
        """Return the losses of the jets and their weights."""
        return {key_of(name): weight for name, weight in self.assignment.items()}

    def own(self) -> dict[str, str]:
        """Return the names of functions of one's own, by what their losses are called."""
        names = [*self.assignment, *(self.neutrinos or {})]
        return {key_of(name): name for name in names if name not in OF_JETS + OF_NEUTRINOS}

    @model_validator(mode="after")
    def _are_told_apart(self) -> Self:
        names = [*self.assignment, *(self.neutrinos or {})]
        for key, name in self.own().items():
            if key in OF_JETS + OF_NEUTRINOS or [key_of(each) for each in names].count(key) > 1:
                raise ValueError(f"{name}: there is another loss called {key}: rename the function")
        return self


def key_of(name: str) -> str:
    """Return what a loss is called in metrics: its name, or that of the function."""
    return name.rpartition(":")[2].rpartition(".")[2]


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
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "float32",
        description="of the products with weights in training steps: mixed ones are quicker on "
        "GPUs with tensor cores; the network that is kept has float32 in any case",
    )
    validation_fraction: float = Field(
        0.1, gt=0, lt=1, description="share of the training folds kept for early stopping"
    )
    patience: PositiveInt = Field(5, description="epochs without improvement before it stops")
    max_steps: PositiveInt | None = Field(None, description="stop after so many batches")
    fast_dev_run: bool = Field(False, description="a few batches, to see that all of it works")


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
