"""The networks that tell signal from background: one builder for each architecture."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras
from keras import layers, ops, regularizers

from rootflow.config import (
    ClassifierConfig,
    DeepSetConfig,
    FeedForwardClassifierConfig,
    InputsConfig,
    LeptonTransformerConfig,
)
from rootflow.dataset.events import Features
from rootflow.errors import UsageError
from rootflow.models.classifier_inputs import Represent, chosen_inputs, refuse_unknown_inputs
from rootflow.models.classifier_normalisation import ClassifierNormalisation
from rootflow.models.kinematics import Tensor
from rootflow.models.normalisation import Standardise

LEPTONS = 4
# Beyond it a score in float32 would be 0 or 1, and events could no longer be ranked.
LARGEST_LOGIT = 15.0

# `leptons` (n, 4, columns) and `event` (n, columns), standardised; one may be missing.
Seen = Mapping[str, Tensor]


def build_classifier(
    config: ClassifierConfig,
    inputs: InputsConfig,
    features: Features,
    normalisation: ClassifierNormalisation,
) -> keras.Model:
    """Return a network from the arrays of `Events` to the probability of signal.

    Parameters
    ----------
    config
        Chooses the architecture.
    inputs
        The features that it sees; the graph picks them by name.
    features
        Names along the last axis of each input.
    normalisation
        Of the training events; it becomes part of the graph.

    Returns
    -------
    A functional model. Inputs, raw and in GeV: `leptons` (n, 4, features) and `event`
    (n, features); one of which nothing is chosen is no input. Output: `score` (n, 1), from
    0 to 1.

    Raises
    ------
    UsageError
        The dataset does not have an input, or the architecture looks at leptons and
        nothing of them is chosen.
    """
    refuse_unknown_inputs(inputs, features)
    chosen = chosen_inputs(inputs)
    if "leptons" not in chosen and config.architecture != "feed_forward":
        raise UsageError(
            f"inputs.leptons: model.architecture {config.architecture} looks at leptons and "
            f"none of their features is chosen: choose some, or take feed_forward"
        )
    slots = {"leptons": (LEPTONS,), "event": ()}
    given = {
        name: keras.Input((*slots[name], len(features[name])), name=name, dtype="float32")
        for name in chosen
    }
    with _inside_in_float64():
        seen = {
            name: Standardise(
                normalisation.means[name], normalisation.scales[name], name=f"standardise_{name}"
            )(Represent(name, features[name], chosen[name], name=f"represent_{name}")(tensor))
            for name, tensor in given.items()
        }
        hidden = BUILDERS[config.architecture](config, seen)
        logit = layers.Dense(1, kernel_regularizer=_penalty(config), name="logit")(hidden)
        score = ops.sigmoid(LARGEST_LOGIT * ops.tanh(logit / LARGEST_LOGIT))
    score = layers.Identity(dtype="float32", name="score")(ops.cast(score, "float32"))
    return keras.Model(given, {"score": score}, name=config.architecture)


@keras.saving.register_keras_serializable(package="rootflow")
class Penalty(regularizers.L2):  # type: ignore[misc]
    """The penalty on weights in float64, in float32: Keras adds it to a loss of scores."""

    def __call__(self, x: Tensor) -> Tensor:
        """Return the sum of the squares of `x`, times l2."""
        return ops.cast(super().__call__(x), "float32")


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


def _feed_forward(config: FeedForwardClassifierConfig, seen: Seen) -> Tensor:
    """Build dense layers on everything in a row."""
    parts = [layers.Flatten(name=f"flat_{name}")(tensor) for name, tensor in seen.items()]
    return _hidden_layers(config, "hidden", _together(parts))


def _deep_set(config: DeepSetConfig, seen: Seen) -> Tensor:
    """Build the same layers for each lepton, their mean, and layers on it and the event."""
    each = _hidden_layers(config, "lepton", seen["leptons"])
    parts = [ops.mean(each, axis=1), *_event(seen)]
    return _hidden_layers(config, "hidden", _together(parts))


def _set_transformer(config: LeptonTransformerConfig, seen: Seen) -> Tensor:
    """Build attention among the leptons and the event, and a layer on their mean."""
    width, penalty = config.width, _penalty(config)
    embed = layers.Dense(width, kernel_regularizer=penalty, name="embed_leptons")
    tokens = [embed(seen["leptons"])]
    for event in _event(seen):
        embed = layers.Dense(width, kernel_regularizer=penalty, name="embed_event")
        tokens.append(layers.Reshape((1, width), name="event_token")(embed(event)))
    mixed = layers.Concatenate(axis=1, name="tokens")(tokens) if len(tokens) > 1 else tokens[0]
    for number in range(config.depth):
        mixed = _block(config, f"block_{number}", mixed)
    mixed = _normalised(mixed, "norm")
    return _dense(config, "hidden", ops.mean(mixed, axis=1))


def _block(config: LeptonTransformerConfig, name: str, tokens: Tensor) -> Tensor:
    """Add attention, then two dense layers, each normalised first (arXiv:2002.04745)."""
    penalty = _penalty(config)
    normed = _normalised(tokens, f"{name}_norm")
    attention = layers.MultiHeadAttention(
        config.heads,
        config.width // config.heads,
        kernel_regularizer=penalty,
        name=f"{name}_attention",
    )
    mixed = attention(normed, normed)
    tokens = tokens + layers.Dropout(config.dropout, name=f"{name}_dropout")(mixed)
    normed = _normalised(tokens, f"{name}_dense_norm")
    hidden = layers.Dense(
        2 * config.width, activation="silu", kernel_regularizer=penalty, name=f"{name}_widen"
    )(normed)
    hidden = layers.Dense(config.width, kernel_regularizer=penalty, name=f"{name}_narrow")(hidden)
    return tokens + layers.Dropout(config.dropout, name=f"{name}_dense_dropout")(hidden)


def _normalised(tokens: Tensor, name: str) -> Tensor:
    """Normalise each token, all in a row: of tables tf2onnx makes what float64 does not have."""
    count, width = tokens.shape[1:]
    rows = layers.LayerNormalization(name=name)(ops.reshape(tokens, (-1, width)))
    return ops.reshape(rows, (-1, count, width))


def _event(seen: Seen) -> list[Tensor]:
    return [seen["event"]] if "event" in seen else []


def _together(parts: list[Tensor]) -> Tensor:
    return layers.Concatenate(name="together")(parts) if len(parts) > 1 else parts[0]


def _hidden_layers(
    config: FeedForwardClassifierConfig | DeepSetConfig, name: str, values: Tensor
) -> Tensor:
    for number in range(config.depth):
        values = _dense(config, f"{name}_{number}", values, batch_norm=config.batch_norm)
        values = layers.Dropout(config.dropout, name=f"{name}_{number}_dropout")(values)
    return values


def _dense(config: Any, name: str, values: Tensor, *, batch_norm: bool = False) -> Tensor:
    values = layers.Dense(config.width, kernel_regularizer=_penalty(config), name=name)(values)
    if batch_norm:
        values = layers.BatchNormalization(name=f"{name}_norm")(values)
    return ops.silu(values)


def _penalty(config: Any) -> keras.Regularizer | None:
    return Penalty(config.l2) if config.l2 else None


BUILDERS: dict[str, Callable[[Any, Seen], Tensor]] = {
    "feed_forward": _feed_forward,
    "deep_set": _deep_set,
    "set_transformer": _set_transformer,
}
