"""Layers of the networks; attention is written for few and small sets."""

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from rootflow.models.kinematics import Tensor

FAR = -1e9
CONFIDENCE = "confidence"
SMALLEST = 1e-6


class LayerOfLayers(keras.Layer):  # type: ignore[misc]
    """A layer of others, each of which makes its weights when it is first called."""

    def build(self, shape: Any) -> None:
        """Make no weights of its own."""


@keras.saving.register_keras_serializable(package="rootflow")
class JointProbability(keras.Layer):  # type: ignore[misc]
    """Softmax over all ordered pairs of two different jets that exist, and of none."""

    def call(self, scores: Tensor, jet_mask: Tensor) -> Tensor:
        """Return probabilities (n, J, J), or (n, J + 1, J + 1) with none in the last places."""
        jets, choices = jet_mask.shape[1], scores.shape[1]
        if choices > jets:
            jet_mask = ops.concatenate([jet_mask, ops.ones_like(jet_mask[:, :1])], axis=1)
        allowed = ops.logical_and(jet_mask[:, :, None], jet_mask[:, None, :])
        # The same jet twice, but none may be both.
        twice = np.eye(choices, dtype=bool) & (np.arange(choices) < jets)
        allowed = ops.logical_and(allowed, ops.convert_to_tensor(~twice))
        flat = ops.reshape(ops.where(allowed, scores, FAR), (-1, choices * choices))
        probability = ops.reshape(ops.softmax(flat, axis=-1), (-1, choices, choices))
        return probability * ops.cast(allowed, probability.dtype)


@keras.saving.register_keras_serializable(package="rootflow")
class ExistingPairs(keras.Layer):  # type: ignore[misc]
    """The part of the joint probability in which both are jets."""

    def call(self, joint: Tensor, jet_mask: Tensor) -> Tensor:
        """Return (n, J, J) of (n, J, J) or (n, J + 1, J + 1)."""
        jets = jet_mask.shape[1]
        return joint[:, :jets, :jets]


@keras.saving.register_keras_serializable(package="rootflow")
class Confidence(LayerOfLayers):
    """The probability that the likeliest pair of jets is right, if its jets are there.

    A layer of its own on the trunk's features, summed over the views, and on how the
    probabilities of the two likeliest pairs are; it does not change these.
    """

    def __init__(self, width: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.hidden = layers.Dense(width, activation="silu", name="hidden")
        self.logit = layers.Dense(1, name="logit")

    def call(self, features: Tensor, assignment: Tensor) -> Tensor:
        """Return (n,) of features (n, 2, width) and probabilities (n, J, J)."""
        flat = ops.reshape(assignment, (-1, assignment.shape[1] * assignment.shape[2]))
        likeliest = ops.stop_gradient(ops.flip(ops.sort(flat, axis=-1), axis=-1)[:, :2])
        odds = ops.log(likeliest + SMALLEST) - ops.log(1.0 - likeliest + SMALLEST)
        both = ops.sum(features, axis=1)
        said = self.logit(self.hidden(ops.concatenate([both, odds], axis=-1)))
        return ops.sigmoid(said[:, 0])


@keras.saving.register_keras_serializable(package="rootflow")
class Attention(LayerOfLayers):
    """Multi-head attention (arXiv:1706.03762, equations 1 and 2) from one set to another.

    The heads share the width of the tokens.
    """

    def __init__(self, width: int, heads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.query = layers.Dense(width, name="query")
        self.key_and_value = layers.Dense(2 * width, name="key_and_value")
        self.mix = layers.Dense(width, name="mix")

    def call(self, queries: Tensor, others: Tensor, present: Tensor = None) -> Tensor:
        """Return (..., Q, width) what each query learns of the others (..., K, width).

        `present` (..., K), or of a shape that spreads to it, is True where there is one.
        """
        key, value = ops.split(self.key_and_value(others), 2, axis=-1)
        bias = None if present is None else absence(present)
        return self.mix(attend(self.query(queries), key, value, bias, self.heads))


@keras.saving.register_keras_serializable(package="rootflow")
class SelfAttention(LayerOfLayers):
    """Multi-head attention of a set with itself: `Attention` with one product for all three."""

    def __init__(self, width: int, heads: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.heads = heads
        self.query_key_value = layers.Dense(3 * width, name="query_key_value")
        self.mix = layers.Dense(width, name="mix")

    def call(self, tokens: Tensor, present: Tensor) -> Tensor:
        """Return (..., T, width) what each token learns of those that are present (..., T)."""
        query, key, value = ops.split(self.query_key_value(tokens), 3, axis=-1)
        return self.mix(attend(query, key, value, absence(present), self.heads))


@keras.saving.register_keras_serializable(package="rootflow")
class Seeds(keras.Layer):  # type: ignore[misc]
    """Learnt vectors, the same for every event: the queries of induced sets and of pooling."""

    def __init__(self, count: int, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seeds = self.add_weight((count, width), "glorot_uniform", name="seeds")

    def call(self, tokens: Tensor) -> Tensor:
        """Return the vectors (..., count, width) for each set of tokens (..., T, width)."""
        return self.seeds + 0.0 * tokens[..., :1, : self.seeds.shape[-1]]


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, heads: int) -> Tensor:
    """Return the mean of the values by likeness of query (..., Q, width) and key (..., K, width).

    The heads' parts are one after another; `bias` (..., 1, K), if any, is added to the likeness.
    """
    query, key, value = (_heads(tensor, heads) for tensor in (query, key, value))
    likeness = ops.matmul(query * (1.0 / math.sqrt(query.shape[-1])), ops.swapaxes(key, -1, -2))
    if bias is not None:
        # Not by `+`, which takes no two precisions; of the likeness in 16 bits this makes 32.
        likeness = ops.add(likeness, ops.expand_dims(bias, -3))
    mean = ops.swapaxes(ops.matmul(ops.softmax(likeness, axis=-1), value), -2, -3)
    return ops.reshape(mean, (-1, *mean.shape[1:-2], mean.shape[-2] * mean.shape[-1]))


def absence(present: Tensor) -> Tensor:
    """Return (..., 1, K) what is added to the likeness: 0, or very little where nothing is."""
    return ops.expand_dims(ops.where(present, 0.0, FAR), -2)


def _heads(tensor: Tensor, heads: int) -> Tensor:
    """Return (..., heads, T, width / heads) of (..., T, width)."""
    shape = (-1, *tensor.shape[1:-1], heads, tensor.shape[-1] // heads)
    return ops.swapaxes(ops.reshape(tensor, shape), -2, -3)


@keras.saving.register_keras_serializable(package="rootflow")
class OverJets(LayerOfLayers):
    """Gated recurrent units (arXiv:1406.1078) along the jets and back, in each view.

    The steps are unrolled: there are few, and ONNX gets plain operations.
    """

    def __init__(self, width: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.width = width
        self.cells = (layers.GRUCell(width, name="along"), layers.GRUCell(width, name="back"))

    def call(self, jets: Tensor, jet_mask: Tensor) -> Tensor:
        """Return (n, 2, J, 2 width), the states after each jet along and back."""
        slots = jets.shape[2]
        steps = [ops.reshape(jets[:, :, slot], (-1, jets.shape[-1])) for slot in range(slots)]
        twice = ops.reshape(ops.stack([jet_mask, jet_mask], axis=1), (-1, slots))
        along, back = self.cells
        present = [twice[:, slot, None] for slot in range(slots)]
        forwards = _states(along, steps, present)
        backwards = _states(back, steps[::-1], present[::-1])[::-1]
        both = [ops.concatenate(each, axis=-1) for each in zip(forwards, backwards, strict=True)]
        return ops.reshape(ops.stack(both, axis=1), (-1, 2, slots, 2 * self.width))


def _states(cell: keras.Layer, steps: list[Tensor], present: list[Tensor]) -> list[Tensor]:
    """Return the state after each step; where there is no jet it stays."""
    state = ops.zeros_like(steps[0][:, :1]) + ops.zeros((1, cell.units))
    states = []
    for step, there in zip(steps, present, strict=True):
        said, _ = cell(step, [state])
        state = ops.where(there, said, state)
        states.append(state)
    return states
