"""The architectures: from the views of an event to scores of jet pairs, and features."""

from collections.abc import Callable, Mapping
from typing import Any

from keras import layers, ops

from rootflow.config.model import (
    AttentionConfig,
    CrossAttentionConfig,
    FeedForwardConfig,
    NetworkModelConfig,
    OwnReconstructionNetworkConfig,
    RecurrentConfig,
    SetTransformerConfig,
)
from rootflow.models.blocks import (
    attention,
    dense,
    event_token,
    induced_attention,
    normalised_dense,
    pooled,
    self_attention,
)
from rootflow.models.kinematics import Tensor
from rootflow.models.own_networks import build_own_views
from rootflow.models.pairs import pair_scores, with_none
from rootflow.models.recurrence import OverJets

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
    for number in range(config.depth):
        name = f"hidden_{number}"
        if config.batch_norm:
            hidden = normalised_dense(config.width, name, hidden)
        else:
            hidden = dense(config.width, name)(hidden)
        hidden = layers.Dropout(config.dropout, name=f"dropout_{number}")(hidden)
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
    event = event_token(config.width, seen["leptons"], *_met(seen))
    jets = _embedded_jets(config.width, seen)
    tokens = ops.concatenate([event, jets], axis=2)
    present = jet_mask[:, None]
    everything = ops.concatenate([ops.ones_like(present[:, :, :1]), present], axis=2)
    for number in range(config.depth):
        name = f"block_{number}"
        if config.inducing_points:
            points = config.inducing_points
            tokens = induced_attention(config, name, points, tokens, everything)
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
    event = event_token(config.width, seen["leptons"], *_met(seen))
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


BUILDERS: dict[str, Callable[[Any, Seen, Tensor], Said]] = {
    "feed_forward": _feed_forward,
    "set_transformer": _set_transformer,
    "cross_attention": _cross_attention,
    "recurrent": _recurrent,
}
# Their weights do not depend on the number of jet slots.
ANY_NUMBER_OF_JETS = frozenset(BUILDERS) - {"feed_forward"}
