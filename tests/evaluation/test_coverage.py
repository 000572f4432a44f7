"""Where the truth is in the credible regions of a posterior."""

import numpy as np
import pytest

from rootflow.evaluation.reconstruction.networks import levels_of
from rootflow.methods.contract import Posterior

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
    highest_density, central = levels_of(*toy(1.0))
    # Four standard deviations, and half a sample.
    room = 4 * np.sqrt(level * (1 - level) / COUNT) + 0.5 / SAMPLES
    assert np.mean(highest_density <= level) == pytest.approx(level, abs=room)
    each = np.mean(central <= level, axis=0)
    np.testing.assert_allclose(each, np.full((2, 3), level), atol=room + 0.01)


def test_a_posterior_that_is_too_sure_covers_too_little() -> None:
    highest_density, central = levels_of(*toy(0.8))
    assert np.mean(highest_density <= 0.68) < 0.5
    assert np.all(np.mean(central <= 0.68, axis=0) < 0.62)
