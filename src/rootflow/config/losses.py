"""Settings of what a network that reconstructs ttbar events is fitted to make small."""

from typing import Annotated, Self

from pydantic import Field, PositiveFloat, model_validator

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
