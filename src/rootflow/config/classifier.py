"""Settings of the models that tell signal from background: one block per architecture."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, Tag, model_validator

from rootflow.config.block import Block, Name
from rootflow.config.plugin import OWN, OwnNetworkConfig, by_architecture


class AttentionBlock(Block):
    """What attention has, in networks of both tasks."""

    width: PositiveInt = Field(64, le=8192, description="of each token; a multiple of heads")
    heads: PositiveInt = Field(4, description="of each attention layer")

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads, {self.heads}")
        return self


class _NetworkConfig(Block):
    """What all networks have."""

    l2: NonNegativeFloat = Field(0.0, description="penalty on the squares of the weights")


class _HiddenLayersConfig(_NetworkConfig):
    """What networks of dense layers have."""

    batch_norm: bool = Field(False, description="batch normalisation after each hidden layer")


class FeedForwardClassifierConfig(_HiddenLayersConfig):
    """A multilayer perceptron on all inputs in a row."""

    architecture: Literal["feed_forward"]
    name: Name = Field("feed_forward", description="under which its metrics are logged")
    width: PositiveInt = Field(128, le=8192, description="neurons of each hidden layer")
    depth: PositiveInt = Field(3, le=100, description="hidden layers")
    dropout: float = Field(0.1, ge=0, lt=1)


class DeepSetConfig(_HiddenLayersConfig):
    """The same network for each object, averaged: no order of objects (arXiv:1703.06114)."""

    architecture: Literal["deep_set"]
    name: Name = Field("deep_set", description="under which its metrics are logged")
    width: PositiveInt = Field(64, le=8192, description="neurons of each hidden layer")
    depth: PositiveInt = Field(2, le=100, description="hidden layers before the mean, and after it")
    dropout: float = Field(0.0, ge=0, lt=1)


class SetTransformerClassifierConfig(_NetworkConfig, AttentionBlock):
    """Self-attention among all objects and the event."""

    architecture: Literal["set_transformer"]
    name: Name = Field("transformer", description="under which its metrics are logged")
    depth: PositiveInt = Field(2, le=100, description="blocks of attention and feed-forward layers")
    dropout: float = Field(0.1, ge=0, lt=1)


class BoostedTreesConfig(Block):
    """Gradient-boosted decision trees (scikit-learn's histograms)."""

    architecture: Literal["boosted_trees"]
    name: Name = Field("boosted_trees", description="under which its metrics are logged")
    trees: PositiveInt = Field(500, le=100_000, description="at most: validation stops earlier")
    learning_rate: PositiveFloat = 0.05
    max_leaf_nodes: int = Field(15, ge=2, le=32_768)
    min_samples_leaf: PositiveInt = 40
    l2: NonNegativeFloat = Field(1.0, description="penalty on the squares of the leaves")
    patience: PositiveInt = Field(25, description="trees without improvement before it stops")


ClassifierConfig = Annotated[
    Annotated[FeedForwardClassifierConfig, Tag("feed_forward")]
    | Annotated[DeepSetConfig, Tag("deep_set")]
    | Annotated[SetTransformerClassifierConfig, Tag("set_transformer")]
    | Annotated[BoostedTreesConfig, Tag("boosted_trees")]
    | Annotated[OwnNetworkConfig, Tag(OWN)],
    by_architecture(
        FeedForwardClassifierConfig,
        DeepSetConfig,
        SetTransformerClassifierConfig,
        BoostedTreesConfig,
    ),
]
