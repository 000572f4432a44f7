import keras
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from rootflow.training.metrics import cross_entropy, weighted_auc, weighted_mean


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


def test_the_area_is_that_of_scikit_learn_with_weights_and_equal_scores(
    random: np.random.Generator,
) -> None:
    label = random.integers(0, 2, 5000)
    score = np.round(random.normal(label, 1.0), 1)
    weight = random.uniform(0.1, 3, 5000)
    expected = roc_auc_score(label, score, sample_weight=weight)
    assert weighted_auc(score, label, weight) == pytest.approx(expected, rel=1e-12)


def test_negative_weights_count_with_their_sign_in_every_pair(
    random: np.random.Generator,
) -> None:
    label = random.integers(0, 2, 200)
    score = np.round(random.normal(label, 1.0), 1)
    weight = random.uniform(-0.3, 1, 200)
    signal, background = label == 1, label == 0
    above = score[signal][:, None] > score[background]
    equal = score[signal][:, None] == score[background]
    pairs = weight[signal][:, None] * weight[background]
    expected = np.sum(pairs * (above + 0.5 * equal)) / np.sum(pairs)
    assert weighted_auc(score, label, weight) == pytest.approx(expected, rel=1e-12)


def test_two_gaussians_have_the_area_of_the_normal_distribution(
    random: np.random.Generator,
) -> None:
    # AUC = Phi(distance / sqrt 2): two unit Gaussians, one standard deviation apart.
    label = random.integers(0, 2, 200_000)
    score = random.normal(label, 1.0)
    assert weighted_auc(score, label, np.ones(200_000)) == pytest.approx(0.760250, abs=0.004)


def test_the_loss_is_that_of_keras(random: np.random.Generator) -> None:
    label = random.integers(0, 2, 100)
    score = random.uniform(0, 1, 100).astype(np.float32)
    score[:2], label[:2] = [0, 1], [1, 0]
    expected = keras.losses.binary_crossentropy(label[:, None].astype(np.float32), score[:, None])
    np.testing.assert_allclose(
        cross_entropy(score, label), keras.ops.convert_to_numpy(expected), rtol=2e-2
    )


def test_the_error_of_the_mean_is_how_far_it_scatters(random: np.random.Generator) -> None:
    values = random.exponential(1.0, (400, 500))
    weight = random.uniform(0, 2, (400, 500))
    means = [weighted_mean(*sample) for sample in zip(values, weight, strict=True)]
    scatter = np.std([mean.value for mean in means], ddof=1)
    # The scatter of 400 means is known to 3.5 %.
    assert np.mean([mean.error for mean in means]) == pytest.approx(scatter, rel=0.15)
    equal = weighted_mean(values[0], np.ones(500))
    assert equal.error == pytest.approx(np.std(values[0]) / np.sqrt(500), rel=1e-12)
