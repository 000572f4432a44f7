import numpy as np
from scipy.special import softmax

from rootflow.models.layers import JointProbability

RANDOM = np.random.default_rng(4)


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
