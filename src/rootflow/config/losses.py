"""Settings of what a network that reconstructs ttbar events is fitted to make small."""

from typing import Literal

from pydantic import Field, PositiveFloat

from rootflow.config.block import Block

AssignmentLossName = Literal["cross_entropy", "focal", "exclusivity"]
NeutrinoLossName = Literal[
    "huber",
    "mse",
    "mae",
    "pt_eta_phi",
    "magnitude_direction",
    "rest_frame",
    "w_mass",
    "top_mass",
    "bins",
    "density",
]


class LossesConfig(Block):
    """Which losses there are, each with its weight among those of its kind."""

    assignment: dict[AssignmentLossName, PositiveFloat] = Field(
        {"cross_entropy": 1.0}, min_length=1, description="of the jets"
    )
    neutrinos: dict[NeutrinoLossName, PositiveFloat] | None = Field(
        None, min_length=1, description="none: what the head learns by itself, else huber"
    )
    confidence: PositiveFloat = Field(1.0, description="of the confidence, where there is one")

    def of_neutrinos(self, head: str) -> dict[str, float]:
        """Return the losses of the neutrinos and their weights, for a head.

        Raises
        ------
        ValueError
            A loss does not go with the head.
        """
        own = {"binned": "bins", "flow": "density"}.get(head, "huber")
        if self.neutrinos is None:
            return {own: 1.0}
        for name in self.neutrinos:
            if name in ("bins", "density") and name != own:
                wanted = "binned" if name == "bins" else "flow"
                raise ValueError(f"{name} needs model.neutrinos.head={wanted}, this is {head}")
            if head == "flow" and name != own:
                raise ValueError(f"{name}: a flow learns by its density alone")
        return {name: weight for name, weight in self.neutrinos.items()}  # noqa: C416 - of any name

    def of_assignment(self) -> dict[str, float]:
        """Return the losses of the jets and their weights."""
        return {name: weight for name, weight in self.assignment.items()}  # noqa: C416 - of any name
