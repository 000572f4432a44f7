"""Settings of the models of both tasks: one block per architecture."""

from typing import Annotated, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    Tag,
    model_validator,
)

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

    l2: NonNegativeFloat = Field(
        0.0, description="penalty on the squares of the weights, added to the loss"
    )


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
    by_architecture("feed_forward", "deep_set", "set_transformer", "boosted_trees"),
]


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


class NetworkConfig(_NetworkConfig):
    """What every architecture that reconstructs events has."""

    no_match: bool = Field(
        False, description="also give the probability that a b jet is not among the jets"
    )
    neutrinos: NeutrinosConfig = Field(
        DirectNeutrinosConfig(), description="how the neutrinos are given"
    )
    confidence: bool = Field(
        False, description="an output that says how likely it is that the assignment is right"
    )


class FeedForwardConfig(NetworkConfig):
    """A multilayer perceptron on the padded event."""

    architecture: Literal["feed_forward"]
    name: Name = Field("feed_forward", description="under which its metrics are logged")
    width: PositiveInt = Field(256, le=8192, description="neurons of each hidden layer")
    depth: PositiveInt = Field(3, le=100, description="hidden layers")
    dropout: float = Field(0.1, ge=0, lt=1)
    batch_norm: bool = Field(False, description="normalise what each hidden layer gives")


class AttentionConfig(NetworkConfig, AttentionBlock):
    """What the architectures with attention have."""

    depth: PositiveInt = Field(3, le=100, description="blocks of attention and feed-forward layers")
    dropout: float = Field(0.2, ge=0, lt=1)


class SetTransformerConfig(AttentionConfig):
    """Self-attention over the jets and the rest of the event."""

    architecture: Literal["set_transformer"]
    name: Name = Field("transformer", description="under which its metrics are logged")
    inducing_points: NonNegativeInt = Field(
        0, le=1024, description="attend by way of so many learnt vectors; 0: each token to each"
    )
    pooling_seeds: NonNegativeInt = Field(
        0, le=1024, description="sum up the jets by attention of so many learnt vectors; 0: do not"
    )


class CrossAttentionConfig(AttentionConfig):
    """Attention of jets to leptons and MET, and of these to jets."""

    architecture: Literal["cross_attention"]
    name: Name = Field("cross_attention", description="under which its metrics are logged")


class RecurrentConfig(NetworkConfig):
    """Gated recurrent units over the jets by falling pT, both ways."""

    architecture: Literal["recurrent"]
    name: Name = Field("recurrent", description="under which its metrics are logged")
    width: PositiveInt = Field(64, le=8192, description="of each jet and of the state, each way")
    depth: PositiveInt = Field(2, le=100, description="recurrent layers")
    dropout: float = Field(0.2, ge=0, lt=1)


class OwnReconstructionNetworkConfig(OwnNetworkConfig, NetworkConfig):
    """A function of one's own for each view; scores of pairs and heads are rootflow's."""

    width: PositiveInt = Field(64, le=8192, description="of the layers that score pairs of jets")


NetworkModelConfig = (
    FeedForwardConfig
    | SetTransformerConfig
    | CrossAttentionConfig
    | RecurrentConfig
    | OwnReconstructionNetworkConfig
)
ModelConfig = Annotated[
    Annotated[FeedForwardConfig, Tag("feed_forward")]
    | Annotated[SetTransformerConfig, Tag("set_transformer")]
    | Annotated[CrossAttentionConfig, Tag("cross_attention")]
    | Annotated[RecurrentConfig, Tag("recurrent")]
    | Annotated[BoostedTreesConfig, Tag("boosted_trees")]
    | Annotated[OwnReconstructionNetworkConfig, Tag(OWN)],
    by_architecture(
        "feed_forward", "set_transformer", "cross_attention", "recurrent", "boosted_trees"
    ),
]
