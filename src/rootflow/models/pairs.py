"""Scores of jet pairs, from what is known of each jet in each view."""

from keras import layers, ops

from rootflow.models.blocks import dense
from rootflow.models.kinematics import Tensor


def pair_scores(
    width: int, jets: Tensor, event: Tensor, pairs: Tensor, *, no_match: bool
) -> Tensor:
    """Return the score of each hypothesis, the same for (i, j) and, exchanged, for (j, i).

    Parameters
    ----------
    width
        Of the hidden layers.
    jets
        (n, 2, J, features) of each jet in each view.
    event
        (n, 2, features) of each view.
    pairs
        (n, J, J, features).
    no_match
        Also score that the jet of b, of bbar or of both is none of the jets.

    Returns
    -------
    (n, J, J), or (n, J + 1, J + 1) with none as the last row and column.
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
    """Return (n, J + 1, J + 1) scores, with none as the last row and column.

    Parameters
    ----------
    scores
        (n, J, J) of pairs.
    alone
        (n, 2, J), that a jet is that of b, or that of bbar, and the other is none.
    neither
        (n, 1), that both are none.
    """
    above = ops.concatenate([scores, alone[:, 0, :, None]], axis=2)
    below = ops.concatenate([alone[:, 1], neither], axis=1)
    return ops.concatenate([above, below[:, None]], axis=1)
