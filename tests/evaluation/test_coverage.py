import numpy as np
import pytest

from rootflow.evaluation.coverage import coverage, levels_of
from rootflow.reconstruction.posterior import Posterior

RANDOM = np.random.default_rng(5)
COUNT, SAMPLES = 4000, 200


def toy(width: float) -> tuple[Posterior, np.ndarray, np.ndarray]:
    """Return normal samples of the given width, truth of width one, and the density there."""
    samples = RANDOM.normal(scale=width, size=(COUNT, SAMPLES, 2, 3)).astype(np.float32)
    truth = RANDOM.normal(size=(COUNT, 2, 3)).astype(np.float32)

    def log_density(momenta: np.ndarray) -> np.ndarray:
        return -0.5 * np.sum((momenta / width) ** 2, axis=(-2, -1))

    return Posterior(samples, log_density(samples)), truth, log_density(truth)


@pytest.mark.parametrize("level", [0.68, 0.95])
def test_a_posterior_that_is_right_covers_as_often_as_it_says(level: float) -> None:
    levels = levels_of(*toy(1.0))
    whole = coverage(levels.highest_density, level, np.ones(COUNT))
    # Four standard deviations, and half a sample.
    room = 4 * whole.errors + 0.5 / SAMPLES
    assert whole.values == pytest.approx(level, abs=room)
    assert whole.errors == pytest.approx(np.sqrt(level * (1 - level) / COUNT), rel=0.05)
    each = coverage(levels.central, level, np.ones(COUNT))
    np.testing.assert_allclose(each.values, np.full((2, 3), level), atol=room + 0.01)


def test_a_posterior_that_is_too_sure_covers_too_little() -> None:
    levels = levels_of(*toy(0.8))
    assert coverage(levels.highest_density, 0.68, np.ones(COUNT)).values < 0.5
    assert np.all(coverage(levels.central, 0.68, np.ones(COUNT)).values < 0.62)


def test_an_event_without_weight_does_not_count() -> None:
    levels = np.array([0.1, 0.9, 0.2, 0.99])
    found = coverage(levels, 0.5, np.array([1.0, 1.0, 0.0, 0.0]))
    assert found.values == 0.5
    assert found.errors == pytest.approx(np.sqrt(0.25 / 2))
