import numpy as np
import pytest
import scipy.stats

from rootflow.evaluation import bootstrap
from rootflow.evaluation.bootstrap import BiasAndResolution, Means, estimate

REPLICAS = 2000
# The relative spread of a standard deviation that is itself found from so many replicas.
ERROR_OF_ERROR = 4 / np.sqrt(2 * REPLICAS)


def test_error_of_a_share_is_binomial() -> None:
    events = 3000
    right = np.arange(events) < 0.3 * events
    everywhere = np.ones((events, 1), bool)
    found = estimate({"x": Means(right[:, None], everywhere)}, np.ones(events), REPLICAS, 1)["x"]
    assert found.values == pytest.approx([0.3])
    assert found.errors == pytest.approx([np.sqrt(0.3 * 0.7 / events)], rel=ERROR_OF_ERROR)


def test_error_of_a_mean_is_that_of_the_spread() -> None:
    values = np.random.default_rng(1).normal(5, 3, 2000)
    everywhere = np.ones((2000, 1), bool)
    found = estimate({"x": Means(values[:, None], everywhere)}, np.ones(2000), REPLICAS, 1)["x"]
    assert found.values == pytest.approx([values.mean()])
    assert found.errors == pytest.approx([values.std() / np.sqrt(2000)], rel=ERROR_OF_ERROR)


def test_error_of_a_weighted_mean() -> None:
    # sqrt(sum w^2 (x - mean)^2) / sum w: linear propagation of independent Poisson counts.
    random = np.random.default_rng(2)
    values, weight = random.normal(0, 1, 3000), random.exponential(1, 3000)
    mean = np.average(values, weights=weight)
    expected = np.sqrt(np.sum(weight**2 * (values - mean) ** 2)) / weight.sum()
    everywhere = np.ones((3000, 1), bool)
    found = estimate({"x": Means(values[:, None], everywhere)}, weight, REPLICAS, 1)["x"]
    assert found.values == pytest.approx([mean])
    assert found.errors == pytest.approx([expected], rel=ERROR_OF_ERROR)


def test_bias_and_resolution_of_a_gaussian() -> None:
    events, sigma = 20_000, 7.0
    residuals = np.random.default_rng(3).normal(2.0, sigma, events)
    statistic = BiasAndResolution(residuals, np.ones(events, bool))
    found = estimate({"x": statistic}, np.ones(events), 400, 1)["x"]
    # Variance of a quantile q(p): p (1 - p) / (n f^2), and the covariance of two, from the
    # density f there: A. van der Vaart, Asymptotic Statistics, corollary 21.5.
    lower, upper = scipy.stats.norm.cdf([-1, 1])
    density = scipy.stats.norm.pdf([0, 1]) / sigma
    error_of_median = 0.5 / (np.sqrt(events) * density[0])
    error_of_resolution = np.sqrt(2 * lower * (1 - lower) - 2 * lower * (1 - upper)) / (
        2 * np.sqrt(events) * density[1]
    )
    assert found.values[0] == pytest.approx(2.0, abs=4 * error_of_median)
    assert found.values[1] == pytest.approx(sigma, abs=4 * error_of_resolution)
    # The density at a quantile is estimated by few events: the errors are good to a fifth.
    assert found.errors == pytest.approx([error_of_median, error_of_resolution], rel=0.2)


@pytest.mark.parametrize("kind", ["mean", "quantiles"])
def test_a_weight_of_two_is_an_event_twice(kind: str) -> None:
    random = np.random.default_rng(4)
    values, weight = random.normal(0, 1, 501), random.integers(1, 4, 501).astype(float)

    def statistic(residuals: np.ndarray) -> bootstrap.Statistic:
        everywhere = np.ones(len(residuals), bool)
        if kind == "mean":
            return Means(residuals[:, None], everywhere[:, None])
        return BiasAndResolution(residuals, everywhere)

    repeated = np.repeat(values, weight.astype(int))
    np.testing.assert_allclose(
        statistic(values)(weight[None]), statistic(repeated)(np.ones((1, len(repeated))))
    )


def test_quantiles_are_those_of_numpy() -> None:
    random = np.random.default_rng(5)
    values, weight = random.normal(0, 1, 1000), random.exponential(1, 1000)
    lower, median, upper = np.quantile(
        values, scipy.stats.norm.cdf([-1, 0, 1]), weights=weight, method="inverted_cdf"
    )
    found = BiasAndResolution(values, np.ones(1000, bool))(weight[None])
    np.testing.assert_allclose(found, [[median, (upper - lower) / 2]])


def test_same_seed_same_errors_and_another_seed_others() -> None:
    statistics = {"x": BiasAndResolution(np.arange(100.0), np.ones(100, bool))}
    first, again, other = (
        estimate(statistics, np.ones(100), 50, seed)["x"].errors for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_errors_do_not_depend_on_the_size_of_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = {"x": Means(np.arange(100.0)[:, None], np.ones((100, 1), bool))}
    whole = estimate(statistics, np.ones(100), 50, 1)["x"]
    monkeypatch.setattr(bootstrap, "WEIGHTS_AT_ONCE", 700)
    np.testing.assert_allclose(estimate(statistics, np.ones(100), 50, 1)["x"], whole)


def test_what_has_no_events_does_not_exist() -> None:
    nowhere = np.zeros(10, bool)
    statistics = {
        "mean": Means(np.ones((10, 1)), nowhere[:, None]),
        "quantiles": BiasAndResolution(np.ones(10), nowhere),
    }
    found = estimate(statistics, np.ones(10), 20, 1)
    assert np.all(np.isnan([*found["mean"].values, *found["mean"].errors]))
    assert np.all(np.isnan([*found["quantiles"].values, *found["quantiles"].errors]))


def test_negative_weights_count_against() -> None:
    found = Means(np.array([[1.0], [0.0], [0.0]]), np.ones((3, 1), bool))(
        np.array([[2.0, 1.0, -1.0], [1.0, -1.0, -1.0]])
    )
    np.testing.assert_array_equal(found, [[1.0], [np.nan]])


def test_table_is_poisson_of_mean_one() -> None:
    shares = np.bincount(bootstrap.POISSON) / len(bootstrap.POISSON)
    expected = scipy.stats.poisson.pmf(np.arange(len(shares)), 1)
    np.testing.assert_allclose(shares, expected, rtol=0, atol=2**-16)
    assert bootstrap.POISSON.mean() == pytest.approx(1, abs=1e-4)
    assert bootstrap.POISSON.var() == pytest.approx(1, abs=1e-4)
