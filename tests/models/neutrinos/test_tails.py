import numpy as np
import pytest
import scipy.stats

from rootflow.models.neutrinos import tails
from rootflow.models.neutrinos.density import ConditionalFlow

SIZE = 6


def test_the_density_is_that_of_scipy() -> None:
    flow = ConditionalFlow(SIZE, couplings=2, width=8, bins=4, dropout=0.0)
    vectors = np.random.default_rng(1).normal(scale=3, size=(5, 40, SIZE)).astype(np.float32)
    context = np.zeros((5, 1), np.float32)
    expected = scipy.stats.multivariate_normal(np.zeros(SIZE)).logpdf(vectors)
    for said in (flow.log_density, flow.log_density_to_learn):
        np.testing.assert_allclose(said(vectors, context), expected, rtol=1e-5)
    flow.set_tails(0.9, 7.0)
    expected = scipy.stats.multivariate_t(shape=0.81 * np.eye(SIZE), df=7).logpdf(vectors)
    np.testing.assert_allclose(flow.log_density(vectors, context), expected, rtol=1e-5, atol=1e-4)


def test_noise_with_heavier_tails_is_t_distributed_in_the_same_directions() -> None:
    noise = np.random.default_rng(2).normal(size=(20_000, SIZE)).astype(np.float32)
    found = tails.heavier(noise, 5.0)
    squares = np.sum(found.astype(np.float64) ** 2, axis=1) / SIZE
    assert scipy.stats.kstest(squares, scipy.stats.f(SIZE, 5).cdf).pvalue > 0.01
    assert scipy.stats.kstest(found[:, 0], scipy.stats.t(5).cdf).pvalue > 0.01
    np.testing.assert_allclose(
        found / np.linalg.norm(found, axis=1, keepdims=True),
        noise / np.linalg.norm(noise, axis=1, keepdims=True),
        atol=1e-5,
    )
    assert tails.heavier(noise, tails.GAUSSIAN) is noise


@pytest.mark.parametrize(("temperature", "degrees"), [(0.9, 6.0), (1.1, 30.0), (0.95, 60.0)])
def test_temperature_and_tails_are_found_again(temperature: float, degrees: float) -> None:
    random = np.random.default_rng(3)
    count = 100_000
    squares = SIZE * temperature**2 * random.f(SIZE, degrees, count)
    # Events that do not count are of another width.
    weight = np.concatenate([np.ones(count), np.zeros(1000)])
    squares = np.concatenate([squares, np.full(1000, 100.0)])
    found = tails.fitted(squares, weight, SIZE)
    assert abs(found.temperature - temperature) < 5 * found.temperature_error < 0.05
    assert (
        abs(np.log(found.degrees_of_freedom / degrees))
        < 5 * found.degrees_of_freedom_error / found.degrees_of_freedom
    )
    assert found.degrees_of_freedom_error < 0.3 * degrees


def test_a_gaussian_is_found_to_be_one() -> None:
    squares = np.random.default_rng(4).chisquare(SIZE, 20_000)
    found = tails.fitted(squares, np.ones(20_000), SIZE)
    assert found.temperature == pytest.approx(1, abs=0.02)
    assert found.degrees_of_freedom > 100


def test_regions_hold_what_they_should_whatever_the_tails() -> None:
    random = np.random.default_rng(5)
    squares = random.chisquare(SIZE, 20_000) * random.uniform(0.5, 1.6, 20_000)
    weight = random.choice([-1.0, 1.0, 2.0], 20_000, p=[0.1, 0.6, 0.3])
    found = tails.fitted(squares, weight, SIZE)
    rank = scipy.stats.f.cdf(squares / found.temperature**2 / SIZE, SIZE, found.degrees_of_freedom)
    for level in tails.LEVELS:
        assert np.average(rank <= level, weights=weight) == pytest.approx(level, abs=0.002)
