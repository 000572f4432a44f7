import numpy as np
import pytest
import scipy.special

from rootflow.models.neutrinos.heads import BinnedNeutrinos
from rootflow.models.neutrinos.point import MeanOfSamples, MedianMassOfSamples
from rootflow.physics.kinematics import invariant_mass, massless

RANDOM = np.random.default_rng(3)
SCALES = (50.0, 50.0, 150.0)


def test_the_share_of_the_bins_has_the_momentum_as_its_mean() -> None:
    head = BinnedNeutrinos(SCALES, bins=20)
    momenta = RANDOM.normal(scale=[50, 50, 150], size=(200, 2, 3)).astype(np.float32)
    labels = np.asarray(head.labels(momenta))
    np.testing.assert_allclose(labels.sum(axis=-1), 1, atol=1e-6)
    assert np.all(labels >= 0)
    assert np.all((labels > 1e-6).sum(axis=-1) <= 2)
    np.testing.assert_allclose((labels * head.centres).sum(axis=-1), momenta, rtol=1e-4, atol=1e-2)


def test_a_momentum_beyond_the_bins_belongs_to_the_last() -> None:
    head = BinnedNeutrinos(SCALES, bins=20)
    assert head.centres[2, -1] == pytest.approx(6 * 150)
    labels = np.asarray(head.labels(np.array([[5000.0, -5000.0, 901.0]], np.float32)))[0]
    np.testing.assert_array_equal(labels.argmax(axis=-1), [19, 0, 19])
    np.testing.assert_allclose(labels.max(axis=-1), 1)


def test_the_loss_of_the_bins_is_their_cross_entropy() -> None:
    head = BinnedNeutrinos(SCALES, bins=7)
    axes = np.broadcast_to(np.eye(3, dtype=np.float32), (30, 2, 3, 3))
    seen = {"features": RANDOM.normal(size=(30, 2, 5)).astype(np.float32), "axes": axes}
    truth = RANDOM.normal(scale=60, size=(30, 2, 3)).astype(np.float32)
    said = np.asarray(head(seen))
    logits = seen["features"] @ np.asarray(head.logits.kernel) + np.asarray(head.logits.bias)
    logits = logits.reshape(30, 2, 3, 7)
    expected = (scipy.special.softmax(logits, axis=-1) * head.centres).sum(axis=-1)
    np.testing.assert_allclose(said, expected, rtol=1e-4, atol=1e-2)
    entropy = -(np.asarray(head.labels(truth)) * scipy.special.log_softmax(logits, axis=-1))
    np.testing.assert_allclose(
        head.loss(seen, truth), entropy.sum(axis=-1).mean(axis=(1, 2)), rtol=1e-4
    )


def test_the_scaled_mean_has_the_median_mass_of_the_samples() -> None:
    samples = RANDOM.normal(scale=80, size=(40, 33, 2, 3)).astype(np.float32)
    jets, leptons = (massless(RANDOM.normal(scale=90, size=(40, n, 3))) for n in (4, 2))
    assignment = RANDOM.random((40, 4, 4)).astype(np.float32) * (1 - np.eye(4, dtype=np.float32))
    said = np.asarray(
        MedianMassOfSamples()(
            samples, assignment, jets.astype(np.float32), leptons.astype(np.float32)
        )
    )
    best = np.stack(np.divmod(assignment.reshape(40, -1).argmax(axis=1), 4), axis=1)
    visible = jets[np.arange(40)[:, None], best].sum(axis=1) + leptons.sum(axis=1)

    def mass_with(neutrinos: np.ndarray) -> np.ndarray:
        return invariant_mass(visible[:, None] + massless(neutrinos).sum(axis=-2))

    wanted = np.median(mass_with(samples), axis=1)
    np.testing.assert_allclose(mass_with(said[:, None])[:, 0], wanted, rtol=1e-4)
    mean = np.asarray(MeanOfSamples()(samples))
    np.testing.assert_allclose(mean, samples.mean(axis=1), atol=1e-4)
    factor = said / mean
    assert np.all(factor > 0)
    np.testing.assert_allclose(factor, np.broadcast_to(factor[:, :1, :1], factor.shape), rtol=1e-3)
