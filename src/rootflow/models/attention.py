"""Attention in sets, written for few and small sets: one product for queries, keys and values."""

import math
from typing import Any

import keras
from keras import layers, ops

from rootflow.models.kinematics import Tensor
from rootflow.models.layers import ConfiguredLayer

FAR = -1e9


class _OfHeads(ConfiguredLayer):
    made_from = ("heads",)

    def __init__(self, heads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads

    def compute_output_shape(self, tokens_shape: tuple[int, ...], *_: Any) -> tuple[int, ...]:
        """Return the shape of those that learn."""
        return tokens_shape


@keras.saving.register_keras_serializable(package="rootflow")
class Attention(_OfHeads):
    """Multi-head attention (arXiv:1706.03762, equations 1 and 2) from one set to another.

    The heads share the width of the tokens.
    """

    def build(
        self,
        queries_shape: tuple[int, ...],
        others_shape: tuple[int, ...],
        present_shape: tuple[int, ...] | None = None,  # noqa: ARG002 - Keras names all arguments
    ) -> None:
        """Make the layers."""
        width = queries_shape[-1]
        self.query = _part(width, "query", queries_shape)
        self.key_and_value = _part(2 * width, "key_and_value", others_shape)
        self.mix = _part(width, "mix", queries_shape)

    def call(self, queries: Tensor, others: Tensor, present: Tensor = None) -> Tensor:
        """Return (..., Q, width) what each query learns of the others (..., K, width).

        `present` (..., K), or of a shape that spreads to it, is True where there is one.
        """
        key, value = ops.split(self.key_and_value(others), 2, axis=-1)
        bias = None if present is None else absence(present)
        return self.mix(attend(self.query(queries), key, value, bias, self.heads))


@keras.saving.register_keras_serializable(package="rootflow")
class SelfAttention(_OfHeads):
    """Multi-head attention of a set with itself: `Attention` with one product for all three."""

    def build(
        self,
        tokens_shape: tuple[int, ...],
        present_shape: tuple[int, ...] | None = None,  # noqa: ARG002 - Keras names all arguments
    ) -> None:
        """Make the layers."""
        width = tokens_shape[-1]
        self.query_key_value = _part(3 * width, "query_key_value", tokens_shape)
        self.mix = _part(width, "mix", tokens_shape)

    def call(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Return (..., T, width) what each token learns of those that are present (..., T)."""
        query, key, value = ops.split(self.query_key_value(tokens), 3, axis=-1)
        return self.mix(attend(query, key, value, absence(present), self.heads))


@keras.saving.register_keras_serializable(package="rootflow")
class Seeds(ConfiguredLayer):
    """Learnt vectors, the same for every event: the queries of induced sets and of pooling."""

    made_from = ("count", "width")

    def __init__(self, count: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.count = count
        self.width = width

    def build(self, tokens_shape: tuple[int, ...]) -> None:  # noqa: ARG002 - Keras calls it so
        """Make the vectors."""
        self.seeds = self.add_weight((self.count, self.width), "glorot_uniform", name="seeds")

    def call(self, tokens: Tensor) -> Tensor:
        """Return the vectors (..., count, width) for each set of tokens (..., T, width)."""
        return self.seeds + 0.0 * tokens[..., :1, : self.width]


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, heads: int) -> Tensor:
    """Return the mean of the values by likeness of query (..., Q, width) and key (..., K, width).

    The heads' parts are one after another; `bias` (..., 1, K), if any, is added to the likeness.
    """
    query, key, value = (_heads(tensor, heads) for tensor in (query, key, value))
    likeness = ops.matmul(query * (1.0 / math.sqrt(query.shape[-1])), ops.swapaxes(key, -1, -2))
    if bias is not None:
        likeness = likeness + ops.expand_dims(bias, -3)
    mean = ops.swapaxes(ops.matmul(ops.softmax(likeness, axis=-1), value), -2, -3)
    return ops.reshape(mean, (-1, *mean.shape[1:-2], mean.shape[-2] * mean.shape[-1]))


def absence(present: Tensor) -> Tensor:
    """Return (..., 1, K) what is added to the likeness: 0, or very little where nothing is."""
    return ops.expand_dims(ops.where(present, 0.0, FAR), -2)


def _heads(tensor: Tensor, heads: int) -> Tensor:
    """Return (..., heads, T, width / heads) of (..., T, width)."""
    shape = (-1, *tensor.shape[1:-1], heads, tensor.shape[-1] // heads)
    return ops.swapaxes(ops.reshape(tensor, shape), -2, -3)


def _part(width: int, name: str, shape: tuple[int, ...]) -> keras.Layer:
    part = layers.Dense(width, name=name)
    part.build(shape)
    return part
