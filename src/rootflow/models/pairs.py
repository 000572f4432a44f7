"""Scores of jet pairs, from what is known of each jet in each view."""

from keras import layers, ops

from rootflow.models.blocks import dense
from rootflow.models.kinematics import Tensor


def pair_scores(
    width: int, jets: Tensor, event: Tensor, pairs: Tensor, *, no_match: bool
) -> Tensor:
    """Return the score (n, J, J) of each hypothesis, the same for (i, j) and, exchanged, (j, i).

    It is made of each jet (n, 2, J, features) and of the event (n, 2, features) in both views, and
    of the pairs (n, J, J, features). With `no_match` none of the jets is the last row and column.
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

    Beside those of pairs (n, J, J) they are that a jet is that of b, or that of bbar, and the other
    is none, `alone` (n, 2, J), and that both are none, `neither` (n, 1).
    """
    above = ops.concatenate([scores, alone[:, 0, :, None]], axis=2)
    below = ops.concatenate([alone[:, 1], neither], axis=1)
    return ops.concatenate([above, below[:, None]], axis=1)
