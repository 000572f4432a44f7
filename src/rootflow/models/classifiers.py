"""The networks that tell classes of events apart: one builder for each architecture."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
from keras import layers, ops

from rootflow.config import ClassifierConfig, OwnNetworkConfig
from rootflow.config.model import (
    DeepSetConfig,
    FeedForwardClassifierConfig,
    SetTransformerClassifierConfig,
)
from rootflow.errors import UsageError
from rootflow.models.classifier_inputs import ClassifierInputs, model_inputs, represent
from rootflow.models.kinematics import Tensor
from rootflow.models.networks import dense, hidden_layers, penalise
from rootflow.models.normalisation import Normalisation
from rootflow.models.own import build_own_classifier

SCORE, PROBABILITIES = "score", "probabilities"
# Beyond it a score in float32 would be 0 or 1, and events could no longer be ranked.
LARGEST_LOGIT = 15.0

# By collection (n, slots, columns) or (n, columns), standardised, zero where no slot is filled;
# and of those whose slots may be empty (n, slots) which are filled.
Columns = Mapping[str, Tensor]
Masks = Mapping[str, Tensor]


def build_classifier(
    config: ClassifierConfig,
    inputs: ClassifierInputs,
    normalisation: Normalisation,
    classes: int = 2,
) -> keras.Model:
    """Return a network from the arrays of `Events` to the probabilities of so many classes.

    The normalisation, of the training events, becomes part of the graph, which picks the features
    by name. Inputs, raw and in GeV: the array of each collection, and which of its slots are
    filled where they may be empty. Output: `score` (n, 1), the probability of signal, or of more
    than two classes `probabilities` (n, classes).

    An architecture that looks at objects and is given none is a UsageError.
    """
    given = model_inputs(inputs)
    with _inside_in_float64():
        masks = {name: given[one.mask] for name, one in inputs.items() if one.mask is not None}
        columns = {
            name: _where_filled(normalisation.applied(name, column), masks.get(name))
            for name, column in represent(inputs, given).items()
        }
        if isinstance(config, OwnNetworkConfig):
            hidden = build_own_classifier(config, columns, masks)
        else:
            hidden = BUILDERS[config.architecture](config, columns, masks)
        logit = layers.Dense(1 if classes == 2 else classes, name="logit")(hidden)
        bounded = LARGEST_LOGIT * ops.tanh(logit / LARGEST_LOGIT)
        said = ops.sigmoid(bounded) if classes == 2 else ops.softmax(bounded, axis=-1)
    output = SCORE if classes == 2 else PROBABILITIES
    said = layers.Identity(dtype="float32", name=output)(ops.cast(said, "float32"))
    name = "own_network" if isinstance(config, OwnNetworkConfig) else config.architecture
    network = keras.Model(given, {output: said}, name=name)
    penalise(network, getattr(config, "l2", 0.0))
    return network


@contextmanager
def _inside_in_float64() -> Iterator[None]:
    """Let layers compute in float64.

    A mass peak of a few GeV makes a network so sharp that the roundings of float32, which
    differ from library to library, show in the sixth decimal of the score.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _feed_forward(config: FeedForwardClassifierConfig, columns: Columns, _: Masks) -> Tensor:
    """Build dense layers on everything in a row, empty slots as zeros."""
    parts = [layers.Flatten(name=f"flat_{name}")(tensor) for name, tensor in columns.items()]
    return hidden_layers(config, "hidden", _together(parts))


def _deep_set(config: DeepSetConfig, columns: Columns, masks: Masks) -> Tensor:
    """Build the same layers for each object of a collection, their sum, and layers on all sums.

    A sum is over all slots, and divided by their number: it also tells how many are filled.
    """
    _refuse_without_objects(config, columns)
    parts = []
    for name, tensor in columns.items():
        if len(tensor.shape) == 2:
            parts.append(tensor)
            continue
        each = hidden_layers(config, name.removesuffix("s"), tensor, masks.get(name))
        parts.append(ops.mean(_where_filled(each, masks.get(name)), axis=1))
    return hidden_layers(config, "hidden", _together(parts))


def _set_transformer(
    config: SetTransformerClassifierConfig, columns: Columns, masks: Masks
) -> Tensor:
    """Build attention among all objects and the event, and a layer on their mean."""
    _refuse_without_objects(config, columns)
    tokens = {}
    for name, tensor in columns.items():
        embedded = layers.Dense(config.width, name=f"embed_{name}")(tensor)
        if len(tensor.shape) == 2:
            embedded = layers.Reshape((1, config.width), name=f"{name}_token")(embedded)
        tokens[name] = embedded
    filled = _filled(tokens, masks)
    every = list(tokens.values())
    mixed = layers.Concatenate(axis=1, name="tokens")(every) if len(every) > 1 else every[0]
    for number in range(config.depth):
        mixed = _block(config, f"block_{number}", mixed, filled)
    mixed = _normalised(mixed, "norm")
    if filled is None:
        return dense(config.width, "hidden")(ops.mean(mixed, axis=1))
    count = ops.sum(ops.cast(filled, mixed.dtype), axis=1, keepdims=True)
    mean = ops.sum(_where_filled(mixed, filled), axis=1) / ops.maximum(count, 1.0)
    return dense(config.width, "hidden")(mean)


def _refuse_without_objects(
    config: DeepSetConfig | SetTransformerClassifierConfig, columns: Columns
) -> None:
    if all(len(tensor.shape) == 2 for tensor in columns.values()):
        raise UsageError(
            f"inputs: model.architecture {config.architecture} looks at objects such as leptons "
            f"or jets, and none of their features is chosen: choose some, or take feed_forward"
        )


def _filled(tokens: Mapping[str, Tensor], masks: Masks) -> Tensor | None:
    """Return (n, tokens) which are there, None where all are in every event."""
    if not masks:
        return None
    there = ops.ones_like(next(iter(masks.values()))[:, :1])
    parts = [
        masks[name] if name in masks else ops.repeat(there, tensor.shape[1], axis=1)
        for name, tensor in tokens.items()
    ]
    return ops.concatenate(parts, axis=1) if len(parts) > 1 else parts[0]


def _where_filled(values: Tensor, filled: Tensor | None) -> Tensor:
    return (
        values if filled is None else ops.where(filled[..., None], values, ops.zeros_like(values))
    )


def _block(
    config: SetTransformerClassifierConfig, name: str, tokens: Tensor, filled: Tensor | None
) -> Tensor:
    """Add attention, then two dense layers, each normalised first (arXiv:2002.04745)."""
    normed = _normalised(tokens, f"{name}_norm")
    attention = layers.MultiHeadAttention(
        config.heads, config.width // config.heads, name=f"{name}_attention"
    )
    mixed = attention(normed, normed, attention_mask=None if filled is None else filled[:, None, :])
    tokens = tokens + layers.Dropout(config.dropout, name=f"{name}_dropout")(mixed)
    normed = _normalised(tokens, f"{name}_dense_norm")
    hidden = dense(2 * config.width, f"{name}_widen")(normed)
    hidden = layers.Dense(config.width, name=f"{name}_narrow")(hidden)
    return tokens + layers.Dropout(config.dropout, name=f"{name}_dense_dropout")(hidden)


def _normalised(tokens: Tensor, name: str) -> Tensor:
    """Normalise each token, all in a row: of tables tf2onnx makes what float64 does not have."""
    count, width = tokens.shape[1:]
    rows = layers.LayerNormalization(name=name)(ops.reshape(tokens, (-1, width)))
    return ops.reshape(rows, (-1, count, width))


def _together(parts: list[Tensor]) -> Tensor:
    return layers.Concatenate(name="together")(parts) if len(parts) > 1 else parts[0]


BUILDERS: dict[str, Callable[[Any, Columns, Masks], Tensor]] = {
    "feed_forward": _feed_forward,
    "deep_set": _deep_set,
    "set_transformer": _set_transformer,
}
