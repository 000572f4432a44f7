import keras
import numpy as np
import pytest

from rootflow.models.layers import Attention, SelfAttention

HEADS, WIDTH = 2, 8
RANDOM = np.random.default_rng(3)
TOKENS = RANDOM.normal(size=(5, 2, 4, WIDTH)).astype(np.float32)
OTHERS = RANDOM.normal(size=(5, 2, 3, WIDTH)).astype(np.float32)
PRESENT = np.array([[True, True, False]] * 3 + [[True, False, False]] * 2)


def by_keras(
    queries: np.ndarray, others: np.ndarray, present: np.ndarray, kernels: list[np.ndarray]
) -> np.ndarray:
    """Return what Keras' own attention says with the same weights, view by view."""
    theirs = keras.layers.MultiHeadAttention(HEADS, WIDTH // HEADS)
    theirs.build(queries[:, 0].shape, others[:, 0].shape)
    heads_last = (WIDTH, HEADS, WIDTH // HEADS)
    zeros = np.zeros(heads_last[1:], np.float32)
    query, key, value, mix = kernels
    theirs.set_weights(
        [
            *(
                part
                for kernel in (query, key, value)
                for part in (kernel.reshape(heads_last), zeros)
            ),
            mix.reshape(HEADS, WIDTH // HEADS, WIDTH),
            np.zeros(WIDTH, np.float32),
        ]
    )
    views = [
        theirs(queries[:, view], others[:, view], attention_mask=present[:, None])
        for view in range(2)
    ]
    return np.stack([np.asarray(view) for view in views], axis=1)


def test_attention_is_that_of_keras() -> None:
    layer = Attention(WIDTH, HEADS)
    said = layer(TOKENS, OTHERS, PRESENT[:, None])
    query, _, key_and_value, _, mix, _ = layer.get_weights()
    expected = by_keras(TOKENS, OTHERS, PRESENT, [query, *np.split(key_and_value, 2, axis=1), mix])
    np.testing.assert_allclose(said, expected, atol=1e-6)


def test_self_attention_is_that_of_keras() -> None:
    layer = SelfAttention(WIDTH, HEADS)
    said = layer(OTHERS, PRESENT[:, None])
    together, _, mix, _ = layer.get_weights()
    expected = by_keras(OTHERS, OTHERS, PRESENT, [*np.split(together, 3, axis=1), mix])
    np.testing.assert_allclose(said, expected, atol=1e-6)


@pytest.mark.parametrize("layer", [Attention(WIDTH, HEADS), SelfAttention(WIDTH, HEADS)])
def test_what_is_absent_is_not_seen(layer: keras.Layer) -> None:
    rubbish = np.where(PRESENT[:, None, :, None], OTHERS, np.float32(1e4))
    first = (TOKENS,) if isinstance(layer, Attention) else ()
    before, after = (np.asarray(layer(*first, o, PRESENT[:, None])) for o in (OTHERS, rubbish))
    if not first:
        before, after = (
            said[np.broadcast_to(PRESENT[:, None], (5, 2, 3))] for said in (before, after)
        )
    np.testing.assert_allclose(after, before, atol=1e-6)
