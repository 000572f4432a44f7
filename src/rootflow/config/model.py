"""Settings of the networks: one block per architecture."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, model_validator

from rootflow.config.block import Block, Name
from rootflow.config.neutrinos import DirectNeutrinosConfig, NeutrinosConfig


class ReconstructionModelConfig(Block):
    """What all networks have in common that assign jets and give the neutrinos."""

    neutrinos: NeutrinosConfig = Field(
        DirectNeutrinosConfig(), description="how the neutrinos are given"
    )
    confidence: bool = Field(
        False, description="an output that says how likely it is that the assignment is right"
    )


class FeedForwardConfig(ReconstructionModelConfig):
    """A multilayer perceptron on the padded event."""

    architecture: Literal["feed_forward"]
    name: Name = Field("feed_forward", description="under which its metrics are logged")
    width: PositiveInt = Field(256, description="neurons of each hidden layer")
    depth: PositiveInt = Field(3, description="hidden layers")
    dropout: float = Field(0.1, ge=0, lt=1)


class SetTransformerConfig(ReconstructionModelConfig):
    """Self-attention over jets, leptons and MET."""

    architecture: Literal["set_transformer"]
    name: Name = Field("transformer", description="under which its metrics are logged")
    width: PositiveInt = Field(64, description="of each token; a multiple of heads")
    depth: PositiveInt = Field(3, description="blocks of attention and feed-forward layers")
    heads: PositiveInt = Field(4, description="of each attention layer")
    dropout: float = Field(0.2, ge=0, lt=1)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "SetTransformerConfig":
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads, {self.heads}")
        return self


ModelConfig = Annotated[
    FeedForwardConfig | SetTransformerConfig, Field(discriminator="architecture")
]
