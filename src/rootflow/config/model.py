"""Settings of the networks: one block per architecture."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from rootflow.config.block import Block


class FeedForwardConfig(Block):
    """A multilayer perceptron on the padded event."""

    architecture: Literal["feed_forward"]
    name: str = "feed_forward"
    width: PositiveInt = 256
    depth: PositiveInt = 3
    dropout: float = Field(0.1, ge=0, lt=1)


class SetTransformerConfig(Block):
    """Self-attention over jets, leptons and MET."""

    architecture: Literal["set_transformer"]
    name: str = "transformer"
    width: PositiveInt = 64
    depth: PositiveInt = 4
    heads: PositiveInt = 4
    dropout: float = Field(0.1, ge=0, lt=1)


ModelConfig = Annotated[
    FeedForwardConfig | SetTransformerConfig, Field(discriminator="architecture")
]
