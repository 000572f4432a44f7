"""Settings of how a network gives the neutrinos: one block per head."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from rootflow.config.block import Block


class DirectNeutrinosConfig(Block):
    """Their momenta, regressed."""

    head: Literal["direct"] = "direct"


class BinnedNeutrinosConfig(Block):
    """A distribution over bins of each component, of which the mean is taken."""

    head: Literal["binned"]
    bins: int = Field(40, ge=4, le=1000, description="of each component")


class FlowNeutrinosConfig(Block):
    """The probability density of all six components together, by a normalising flow."""

    head: Literal["flow"]
    layers: PositiveInt = Field(
        6, le=100, description="coupling layers, each of half of the components"
    )
    width: PositiveInt = Field(64, le=8192, description="neurons of the hidden layers")
    bins: int = Field(8, ge=2, le=1000, description="of each spline")
    dropout: float = Field(0.1, ge=0, lt=1)
    samples: int = Field(
        64, ge=2, le=10_000, description="drawn once and kept, of which each event's answer is made"
    )
    point: Literal["median_mtt", "mean"] = Field(
        "median_mtt",
        description="the answer: their mean, or that scaled so that m(ttbar) is their median",
    )


NeutrinosConfig = Annotated[
    DirectNeutrinosConfig | BinnedNeutrinosConfig | FlowNeutrinosConfig,
    Field(discriminator="head"),
]
