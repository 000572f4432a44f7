"""The architectures: from the views of an event to scores of jet pairs, and features."""

from collections.abc import Callable, Mapping
from typing import Any

import keras
from keras import layers, ops, regularizers

from rootflow.config.model import (
    AttentionConfig,
    CrossAttentionConfig,
    DeepSetConfig,
    FeedForwardClassifierConfig,
    FeedForwardConfig,
    NetworkModelConfig,
    OwnReconstructionNetworkConfig,
    RecurrentConfig,
    SetTransformerConfig,
)
from rootflow.models.kinematics import Tensor
from rootflow.models.layers import Attention, OverJets, Seeds, SelfAttention
from rootflow.models.own import build_own_views

Seen = Mapping[str, Tensor]
# Scores of jet pairs, (n, J, J) or with none (n, J + 1, J + 1), and features of each view
# (n, 2, width), for the neutrinos.
Said = tuple[Tensor, Tensor]


def _feed_forward(config: FeedForwardConfig, seen: Seen, jet_mask: Tensor) -> Said:
    """Build dense layers on each view as one row."""
    jets = jet_mask.shape[1]
    present = ops.cast(ops.stack([jet_mask, jet_mask], axis=1), "float32")
    parts = [seen["jets"] * present[..., None], seen["leptons"], *_met(seen), present]
    hidden = ops.concatenate([layers.Reshape((2, -1))(part) for part in parts], axis=-1)
    hidden = hidden_layers(config, "hidden", hidden)
    pairs = layers.Dense(jets * jets, name="pairs")(hidden)
    pairs = layers.Reshape((2, jets, jets), name="own_and_other")(pairs)
    scores = pairs[:, 0] + ops.transpose(pairs[:, 1], (0, 2, 1))
    if config.no_match:
        neither = layers.Dense(1, name="neither_score")(hidden)
        alone = layers.Dense(jets, name="alone_score")(hidden)
        scores = with_none(scores, alone, neither[:, 0] + neither[:, 1])
    return scores, hidden


def _set_transformer(config: SetTransformerConfig, seen: Seen, jet_mask: Tensor) -> Said:
    """Build attention among the jets and the event in each view."""
    event = _event_token(config.width, seen)
    jets = _embedded_jets(config.width, seen)
    tokens = ops.concatenate([event, jets], axis=2)
    present = jet_mask[:, None]
    everything = ops.concatenate([ops.ones_like(present[:, :, :1]), present], axis=2)
    for number in range(config.depth):
        name = f"block_{number}"
        if config.inducing_points:
            # By way of so many learnt vectors (arXiv:1810.00825, equations 9 and 10).
            points = config.inducing_points
            induced = pooled(config, f"{name}_inducing", points, tokens, everything)
            tokens = attention(config, f"{name}_induced", tokens, induced)
        else:
            tokens = self_attention(config, name, tokens, everything)
    tokens = layers.LayerNormalization(name="norm")(tokens)
    event, jets = tokens[:, :, 0], tokens[:, :, 1:]
    if config.pooling_seeds:
        summary = pooled(config, "pooling", config.pooling_seeds, jets, present)
        event = ops.concatenate([event, layers.Reshape((2, -1))(summary)], axis=-1)
    return _said(config, jets, event, seen)


def _cross_attention(config: CrossAttentionConfig, seen: Seen, jet_mask: Tensor) -> Said:
    """Build attention of jets to leptons and MET and back, in each view."""
    objects = {"own": seen["leptons"][:, :, :1], "other": seen["leptons"][:, :, 1:]}
    if "met" in seen:
        objects["met"] = seen["met"]
    others = ops.concatenate(
        [layers.Dense(config.width, name=f"embed_{n}")(part) for n, part in objects.items()],
        axis=2,
    )
    jets = _embedded_jets(config.width, seen)
    for number in range(config.depth):
        others = attention(config, f"to_jets_{number}", others, jets, jet_mask[:, None])
        jets = attention(config, f"from_jets_{number}", jets, others)
    jets = layers.LayerNormalization(name="jets_norm")(jets)
    others = layers.LayerNormalization(name="others_norm")(others)
    event = layers.Reshape((2, -1), name="leptons_and_met")(others)
    return _said(config, jets, event, seen)


def _recurrent(config: RecurrentConfig, seen: Seen, jet_mask: Tensor) -> Said:
    """Build recurrent layers over the jets, each with the event beside it, in each view."""
    event = _event_token(config.width, seen)
    jets = _embedded_jets(config.width, seen) + event
    for number in range(config.depth):
        learnt = OverJets(config.width, name=f"recurrent_{number}")(jets, jet_mask)
        learnt = layers.Dense(config.width, name=f"narrow_{number}")(learnt)
        jets = jets + layers.Dropout(config.dropout, name=f"dropout_{number}")(learnt)
        jets = layers.LayerNormalization(name=f"norm_{number}")(jets)
    there = ops.cast(jet_mask, "float32")[:, None, :, None]
    mean = ops.sum(jets * there, axis=2) / ops.maximum(ops.sum(there, axis=2), 1.0)
    return _said(config, jets, ops.concatenate([event[:, :, 0], mean], axis=-1), seen)


def _met(seen: Seen) -> list[Tensor]:
    """Return MET and the event, if a network is given anything of them."""
    return [seen["met"]] if "met" in seen else []


def _event_token(width: int, seen: Seen) -> Tensor:
    """Return leptons, and MET if it is given, of each view as one token (n, 2, 1, width)."""
    leptons = seen["leptons"]
    parts = [leptons[:, :, :1], leptons[:, :, 1:], *_met(seen)]
    return layers.Dense(width, name="embed_event")(ops.concatenate(parts, axis=-1))


def _embedded_jets(width: int, seen: Seen) -> Tensor:
    return layers.Dense(width, name="embed_jets")(dense(width, "jets_hidden")(seen["jets"]))


def _said(
    config: AttentionConfig | RecurrentConfig | OwnReconstructionNetworkConfig,
    jets: Tensor,
    event: Tensor,
    seen: Seen,
) -> Said:
    scores = pair_scores(config.width, jets, event, seen["pairs"], no_match=config.no_match)
    return scores, dense(config.width, "neutrino_hidden")(event)


def scores_and_features(config: NetworkModelConfig, seen: Seen, jet_mask: Tensor) -> Said:
    """Build the architecture that is configured."""
    if isinstance(config, OwnReconstructionNetworkConfig):
        return _said(config, *build_own_views(config, seen, jet_mask), seen)
    return BUILDERS[config.architecture](config, seen, jet_mask)


def pair_scores(
    width: int, jets: Tensor, event: Tensor, pairs: Tensor, *, no_match: bool
) -> Tensor:
    """Return the score (n, J, J) of each hypothesis, the same for (i, j) and, exchanged, (j, i).

    Jets (n, 2, J, features) and event (n, 2, features) are those of both views, pairs are
    (n, J, J, features). With `no_match` none of the jets is the last row and column.
    """
    belongs = layers.Dense(width, name="belongs")(jets)
    own = layers.Dense(width, use_bias=False, name="belongs_to_event")(event)
    both = own[:, 0] + own[:, 1]
    hypothesis = (
        belongs[:, 0, :, None]
        + belongs[:, 1, None, :]
        + both[:, None, None]
        + layers.Dense(width, use_bias=False, name="embed_pairs")(pairs)
    )
    hypothesis = dense(width, "hypothesis")(ops.silu(hypothesis))
    scores = layers.Dense(1, name="score")(hypothesis)[..., 0]
    if not no_match:
        return scores
    alone = layers.Dense(width, name="alone")(jets) + (own + both[:, None])[:, :, None]
    alone = layers.Dense(1, name="alone_score")(ops.silu(alone))[..., 0]
    neither = layers.Dense(1, name="neither_score")(ops.silu(both))
    return with_none(scores, alone, neither)


def with_none(scores: Tensor, alone: Tensor, neither: Tensor) -> Tensor:
    """Return scores (n, J + 1, J + 1) of pairs (n, J, J) and, as the last row and column, of none.

    `alone` (n, 2, J): a jet is that of b, or of bbar, and the other is none; `neither` (n, 1).
    """
    above = ops.concatenate([scores, alone[:, 0, :, None]], axis=2)
    below = ops.concatenate([alone[:, 1], neither], axis=1)
    return ops.concatenate([above, below[:, None]], axis=1)


def dense(width: int, name: str) -> layers.Dense:
    """Return a layer with the activation of all hidden layers."""
    return layers.Dense(width, activation="silu", name=name)


def hidden_layers(
    config: FeedForwardConfig | FeedForwardClassifierConfig | DeepSetConfig,
    name: str,
    values: Tensor,
    filled: Tensor = None,
) -> Tensor:
    """Build dense layers with dropout, normalised over what is filled of a batch if configured."""
    for number in range(config.depth):
        layer = f"{name}_{number}"
        if config.batch_norm:
            values = layers.Dense(config.width, name=layer)(values)
            normalised = layers.BatchNormalization(name=f"{layer}_norm")(values, mask=filled)
            values = ops.silu(normalised)
        else:
            values = dense(config.width, layer)(values)
        values = layers.Dropout(config.dropout, name=f"{layer}_dropout")(values)
    return values


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
    mixed = SelfAttention(config.width, config.heads, name=f"{name}_attention")(normed, present)
    return _added(config, name, tokens, mixed)


def attention(
    config: AttentionConfig, name: str, tokens: Tensor, others: Tensor, present: Tensor = None
) -> Tensor:
    """Do the same with attention from the tokens to others, of which those present count."""
    normed = layers.LayerNormalization(name=f"{name}_norm")(tokens)
    seen = layers.LayerNormalization(name=f"{name}_others_norm")(others)
    layer = Attention(config.width, config.heads, name=f"{name}_attention")
    mixed = layer(normed, seen) if present is None else layer(normed, seen, present)
    return _added(config, name, tokens, mixed)


def pooled(
    config: AttentionConfig, name: str, seeds: int, tokens: Tensor, present: Tensor
) -> Tensor:
    """Return so many vectors that sum up the tokens (arXiv:1810.00825, equation 11)."""
    queries = Seeds(seeds, config.width, name=f"{name}_seeds")(tokens)
    return attention(config, name, queries, tokens, present)


def _added(config: AttentionConfig, name: str, tokens: Tensor, mixed: Tensor) -> Tensor:
    """Add what was mixed, then two dense layers, normalised first."""
    tokens = tokens + layers.Dropout(config.dropout, name=f"{name}_dropout")(mixed)
    normed = layers.LayerNormalization(name=f"{name}_dense_norm")(tokens)
    hidden = dense(2 * config.width, f"{name}_widen")(normed)
    hidden = layers.Dense(config.width, name=f"{name}_narrow")(hidden)
    return tokens + layers.Dropout(config.dropout, name=f"{name}_dense_dropout")(hidden)


BUILDERS: dict[str, Callable[[Any, Seen, Tensor], Said]] = {
    "feed_forward": _feed_forward,
    "set_transformer": _set_transformer,
    "cross_attention": _cross_attention,
    "recurrent": _recurrent,
}
# Their weights do not depend on the number of jet slots.
ANY_NUMBER_OF_JETS = frozenset(BUILDERS) - {"feed_forward"}
