"""What the architectures are made of."""

import keras
from keras import layers, ops, regularizers

from rootflow.config.model import AttentionConfig
from rootflow.models.attention import Attention, Seeds, SelfAttention
from rootflow.models.kinematics import Tensor


def dense(width: int, name: str) -> layers.Dense:
    """Return a layer with the activation of all hidden layers."""
    return layers.Dense(width, activation="silu", name=name)


def normalised_dense(width: int, name: str, values: Tensor) -> Tensor:
    """Return what such a layer gives, normalised over each batch before its activation."""
    values = layers.Dense(width, name=name)(values)
    return ops.silu(layers.BatchNormalization(name=f"{name}_norm")(values))


@keras.saving.register_keras_serializable(package="rootflow")
class Penalty(regularizers.L2):  # type: ignore[misc]
    """The penalty on weights of any type in float32: Keras adds it to a loss of scores."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return the sum of the squares of `x`, times l2."""
        return ops.cast(super().__call__(x), "float32")


def penalise(network: keras.Model, l2: float) -> None:
    """Add the penalty on all weights that multiply to the losses of a network."""
    for weight in network.trainable_weights:
        if l2 and "kernel" in weight.name:
            weight.regularizer = Penalty(l2)


def self_attention(config: AttentionConfig, name: str, tokens: Tensor, present: Tensor) -> Tensor:
    """Add attention, then two dense layers, each normalised first (arXiv:2002.04745)."""
    normed = layers.LayerNormalization(name=f"{name}_norm")(tokens)
    mixed = SelfAttention(config.heads, name=f"{name}_attention")(normed, present)
    tokens = tokens + layers.Dropout(config.dropout, name=f"{name}_dropout")(mixed)
    return _feed_forward(config, name, tokens)


def attention(
    config: AttentionConfig, name: str, tokens: Tensor, others: Tensor, present: Tensor = None
) -> Tensor:
    """Do the same with attention from the tokens to others, of which those present count."""
    normed = layers.LayerNormalization(name=f"{name}_norm")(tokens)
    seen = layers.LayerNormalization(name=f"{name}_others_norm")(others)
    layer = Attention(config.heads, name=f"{name}_attention")
    mixed = layer(normed, seen) if present is None else layer(normed, seen, present)
    tokens = tokens + layers.Dropout(config.dropout, name=f"{name}_dropout")(mixed)
    return _feed_forward(config, name, tokens)


def induced_attention(
    config: AttentionConfig, name: str, points: int, tokens: Tensor, present: Tensor
) -> Tensor:
    """Attend by way of so many learnt vectors (arXiv:1810.00825, equations 9 and 10)."""
    induced = pooled(config, f"{name}_inducing", points, tokens, present)
    return attention(config, f"{name}_induced", tokens, induced)


def pooled(
    config: AttentionConfig, name: str, seeds: int, tokens: Tensor, present: Tensor
) -> Tensor:
    """Return so many vectors that sum up the tokens (arXiv:1810.00825, equation 11)."""
    queries = Seeds(seeds, config.width, name=f"{name}_seeds")(tokens)
    return attention(config, name, queries, tokens, present)


def event_token(width: int, leptons: Tensor, *met: Tensor) -> Tensor:
    """Return leptons, and MET if it is given, of each view as one token (n, 2, 1, width)."""
    parts = [leptons[:, :, :1], leptons[:, :, 1:], *met]
    return layers.Dense(width, name="embed_event")(ops.concatenate(parts, axis=-1))


def _feed_forward(config: AttentionConfig, name: str, tokens: Tensor) -> Tensor:
    normed = layers.LayerNormalization(name=f"{name}_dense_norm")(tokens)
    hidden = dense(2 * config.width, f"{name}_widen")(normed)
    hidden = layers.Dense(config.width, name=f"{name}_narrow")(hidden)
    return tokens + layers.Dropout(config.dropout, name=f"{name}_dense_dropout")(hidden)
