import keras
import numpy as np
from scipy.special import softmax

from rootflow.models.layers import JointProbability, SelfAttention

RANDOM = np.random.default_rng(4)


def test_self_attention_is_that_of_keras() -> None:
    heads, width, count = 2, 8, 5
    tokens = RANDOM.normal(size=(3, count, width)).astype(np.float32)
    present = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 1, 0], [1, 0, 0, 0, 0]], dtype=bool)
    ours = SelfAttention(heads, width)
    ours(tokens, present)
    theirs = keras.layers.MultiHeadAttention(heads, width // heads, use_bias=False)
    theirs.build(tokens.shape, tokens.shape)
    project, merge, merge_bias = ours.get_weights()
    split = project.reshape(width, 3, heads, width // heads)
    theirs.set_weights([*np.moveaxis(split, 1, 0), merge.reshape(heads, width // heads, width)])
    expected = theirs(tokens, tokens, attention_mask=present[:, None, :]) + merge_bias
    np.testing.assert_allclose(ours(tokens, present), expected, atol=1e-5)


def test_joint_probability_is_a_softmax_over_the_allowed_pairs() -> None:
    scores = RANDOM.normal(scale=5, size=(2, 4, 4)).astype(np.float32)
    mask = np.array([[True, True, False, True], [True, True, True, True]])
    probability = np.asarray(JointProbability()(scores, mask))
    allowed = mask[:, :, None] & mask[:, None, :] & ~np.eye(4, dtype=bool)
    for event in range(2):
        expected = softmax(scores[event][allowed[event]])
        np.testing.assert_allclose(probability[event][allowed[event]], expected, rtol=1e-5)
    assert np.all(probability[~allowed] == 0)


def test_joint_probability_of_an_event_without_pairs_is_zero_everywhere() -> None:
    mask = np.array([[True, False, False]])
    assert np.all(np.asarray(JointProbability()(np.ones((1, 3, 3), np.float32), mask)) == 0)
