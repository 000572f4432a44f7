"""The networks: one builder for each architecture of the configuration."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import layers, ops

from rootflow.config import FeedForwardConfig, ModelConfig, SetTransformerConfig
from rootflow.dataset.events import Features
from rootflow.models.confidence import CONFIDENCE, Confidence
from rootflow.models.kinematics import Tensor
from rootflow.models.layers import JointProbability
from rootflow.models.neutrinos import Momenta, neutrinos_of
from rootflow.models.normalisation import SEEN, Normalisation, Standardise
from rootflow.models.views import LeptonViews

Seen = Mapping[str, Tensor]
# Scores (n, J, J) of jet pairs, and features (n, 2, width) of the neutrinos, by view.
Heads = tuple[Tensor, Tensor]


def build_model(
    config: ModelConfig, features: Features, max_jets: int, normalisation: Normalisation
) -> keras.Model:
    """Return a network from the arrays of `Events` to an assignment and two neutrinos.

    Parameters
    ----------
    config
        Chooses the architecture.
    features
        Names along the last axis of each input.
    max_jets
        Jet slots of an event, J.
    normalisation
        Of the training events; it becomes part of the graph.

    Returns
    -------
    A functional model. Inputs, raw and in GeV: `jets` (n, J, features), `jet_mask` (n, J)
    bool, `leptons` (n, 2, features), `met` (n, features), and `event` (n, features) where
    there are any. Outputs: `assignment` (n, J, J), the joint probability that the first
    slot is the jet of b and the second that of bbar; `neutrinos` (n, 2, 3), px, py, pz of
    neutrino and antineutrino in GeV; where the settings ask for it, `confidence` (n,), the
    probability that the likeliest pair is right, if both of its jets are there.
    """
    inputs = _inputs(features, max_jets)
    views = LeptonViews(features, name="views")(**inputs)
    seen = {
        name: Standardise(
            normalisation.means[name], normalisation.scales[name], name=f"standardise_{name}"
        )(views[name])
        for name in SEEN
    }
    scores, trunk = BUILDERS[config.architecture](config, seen, inputs["jet_mask"])
    assignment = JointProbability(name="assignment")(scores, inputs["jet_mask"])
    raw = {name: tensor for name, tensor in inputs.items() if name != "event"}
    momenta = Momenta(features, name="momenta")(**raw)
    neutrinos = neutrinos_of(
        config.neutrinos,
        {"features": trunk, "axes": views["axes"], **momenta},
        assignment,
        normalisation.neutrino_scales,
    )
    outputs = {"assignment": assignment, "neutrinos": neutrinos}
    if config.confidence:
        outputs[CONFIDENCE] = Confidence(name=CONFIDENCE)(trunk, assignment)
    return keras.Model(inputs, outputs, name=config.architecture)


def _inputs(features: Features, max_jets: int) -> dict[str, Tensor]:
    width = {name: len(columns) for name, columns in features.items()}
    inputs = {
        "jets": keras.Input((max_jets, width["jets"]), name="jets"),
        "jet_mask": keras.Input((max_jets,), dtype="bool", name="jet_mask"),
        "leptons": keras.Input((2, width["leptons"]), name="leptons"),
        "met": keras.Input((width["met"],), name="met"),
    }
    if width["event"]:
        inputs["event"] = keras.Input((width["event"],), name="event")
    return inputs


def _feed_forward(config: FeedForwardConfig, seen: Seen, jet_mask: Tensor) -> Heads:
    """Build dense layers on each view as one row."""
    jets = jet_mask.shape[1]
    present = ops.cast(ops.stack([jet_mask, jet_mask], axis=1), "float32")
    parts = [seen["jets"] * present[..., None], seen["leptons"], seen["met"], present]
    hidden = ops.concatenate([layers.Reshape((2, -1))(part) for part in parts], axis=-1)
    for number in range(config.depth):
        hidden = _dense(config.width, f"hidden_{number}")(hidden)
        hidden = layers.Dropout(config.dropout, name=f"dropout_{number}")(hidden)
    pairs = layers.Dense(jets * jets, name="pairs")(hidden)
    pairs = layers.Reshape((2, jets, jets), name="own_and_other")(pairs)
    scores = pairs[:, 0] + ops.transpose(pairs[:, 1], (0, 2, 1))
    return scores, hidden


def _set_transformer(config: SetTransformerConfig, seen: Seen, jet_mask: Tensor) -> Heads:
    """Build attention among jets, leptons and MET in each view, and a score of each jet pair."""
    jets, width = jet_mask.shape[1], config.width
    objects = {
        "jets": seen["jets"],
        "own": seen["leptons"][:, :, :1],
        "other": seen["leptons"][:, :, 1:],
        "met": seen["met"],
    }
    embedded = [layers.Dense(width, name=f"embed_{n}")(part) for n, part in objects.items()]
    tokens = ops.concatenate(embedded, axis=2)
    count = tokens.shape[2]
    present = ops.concatenate([jet_mask, ops.ones_like(jet_mask[:, : count - jets])], axis=1)
    # Both views go through the same blocks, as if they were two events.
    tokens = ops.reshape(tokens, (-1, count, width))
    present = ops.reshape(ops.stack([present, present], axis=1), (-1, count))
    for number in range(config.depth):
        tokens = _block(config, f"block_{number}", tokens, present)
    tokens = layers.LayerNormalization(name="norm")(tokens)
    tokens = ops.reshape(tokens, (-1, 2, count, width))

    belongs = layers.Dense(width, name="belongs")(tokens[:, :, :jets])
    hypothesis = (
        belongs[:, 0, :, None]
        + belongs[:, 1, None, :]
        + layers.Dense(width, use_bias=False, name="embed_pairs")(seen["pairs"])
    )
    hypothesis = _dense(width, "hypothesis")(ops.silu(hypothesis))
    scores = layers.Dense(1, name="score")(hypothesis)[..., 0]
    others = layers.Reshape((2, -1), name="leptons_and_met")(tokens[:, :, jets:])
    return scores, _dense(width, "neutrino_hidden")(others)


def _block(config: SetTransformerConfig, name: str, tokens: Tensor, present: Tensor) -> Tensor:
    """Add attention, then two dense layers, each normalised first (arXiv:2002.04745)."""
    normed = layers.LayerNormalization(name=f"{name}_norm")(tokens)
    attention = layers.MultiHeadAttention(
        config.heads, config.width // config.heads, name=f"{name}_attention"
    )
    mixed = attention(normed, normed, attention_mask=present[:, None, :])
    tokens = tokens + layers.Dropout(config.dropout, name=f"{name}_dropout")(mixed)
    normed = layers.LayerNormalization(name=f"{name}_dense_norm")(tokens)
    hidden = _dense(2 * config.width, f"{name}_widen")(normed)
    hidden = layers.Dense(config.width, name=f"{name}_narrow")(hidden)
    return tokens + layers.Dropout(config.dropout, name=f"{name}_dense_dropout")(hidden)


def _dense(width: int, name: str) -> keras.Layer:
    return layers.Dense(width, activation="silu", name=name)


BUILDERS: dict[str, Callable[[Any, Seen, Tensor], Heads]] = {
    "feed_forward": _feed_forward,
    "set_transformer": _set_transformer,
}
