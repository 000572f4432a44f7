"""Bootstrap errors against closed forms, and sums in cells against the events themselves."""

import numpy as np
import pytest
import scipy.stats

from rootflow.evaluation import bootstrap as module
from rootflow.evaluation.bootstrap import (
    CellStatistic,
    Replicated,
    bootstrap,
    poisson_counts,
)
from rootflow.evaluation.cell_statistics import (
    BiasAndResolution,
    CalibrationError,
    Drop,
    Shares,
    bin_of,
    everywhere,
)

REPLICAS = 2000
# The relative spread of a standard deviation that is itself found from so many replicas.
ERROR_OF_ERROR = 4 / np.sqrt(2 * REPLICAS)


def estimate(statistic: CellStatistic, weight: np.ndarray, replicas: int = REPLICAS) -> Replicated:
    return bootstrap({"x": statistic}, weight, replicas, 1)["x"]


def all_of(count: int) -> np.ndarray:
    return everywhere(np.ones(count, bool))


def counts_of(events: int, replicas: int, seed: int = 1) -> np.ndarray:
    """Return the Poisson numbers (replicas, events) that `bootstrap` uses."""
    rows = []
    for block, first in enumerate(range(0, replicas, module.REPLICAS_AT_ONCE)):
        size = min(module.REPLICAS_AT_ONCE, replicas - first)
        rows.append(
            np.concatenate(
                [
                    poisson_counts(
                        (seed, block, number), min(module.EVENTS_AT_ONCE, events - start), size
                    )
                    for number, start in enumerate(range(0, events, module.EVENTS_AT_ONCE))
                ]
            ).T
        )
    return np.concatenate(rows).astype(float)


def test_numbers_are_poisson_of_mean_one() -> None:
    counts = counts_of(3000, 400)
    assert counts.mean() == pytest.approx(1, abs=4 / np.sqrt(counts.size))
    assert counts.var() == pytest.approx(1, abs=4 * np.sqrt(3 / counts.size))
    for axis in (0, 1):  # neither events nor replicas know of each other
        means = counts.mean(axis=axis)
        assert means.var() * counts.shape[axis] == pytest.approx(1, abs=5 * np.sqrt(2 / len(means)))


def test_error_of_a_share_is_binomial() -> None:
    right = np.arange(3000) < 900
    found = estimate(Shares(right, all_of(3000), 1), np.ones(3000))
    assert found.values == pytest.approx([0.3])
    assert found.errors == pytest.approx([np.sqrt(0.3 * 0.7 / 3000)], rel=ERROR_OF_ERROR)


def test_error_of_a_weighted_share() -> None:
    # sqrt(sum w^2 (x - mean)^2) / sum w: linear propagation of independent Poisson counts.
    random = np.random.default_rng(2)
    right, weight = random.random(3000) < 0.6, random.exponential(1, 3000)
    mean = np.average(right, weights=weight)
    expected = np.sqrt(np.sum(weight**2 * (right - mean) ** 2)) / weight.sum()
    found = estimate(Shares(right, all_of(3000), 1), weight)
    assert found.values == pytest.approx([mean])
    assert found.errors == pytest.approx([expected], rel=ERROR_OF_ERROR)


def test_bias_and_resolution_of_a_gaussian() -> None:
    events, sigma = 20_000, 7.0
    residuals, weight = np.random.default_rng(3).normal(2.0, sigma, events), np.ones(events)
    found = estimate(BiasAndResolution(residuals, all_of(events), 1, weight), weight)
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


@pytest.mark.parametrize("events", [1, 7, 300, 5000])
def test_quantiles_of_replicas_are_those_of_numpy(events: int) -> None:
    random = np.random.default_rng(5)
    values, weight = random.normal(0, 1, events), random.exponential(1, events)
    statistic = BiasAndResolution(values, all_of(events), 1, weight)
    found = bootstrap({"x": statistic}, weight, 100, 1)["x"].replicas
    counts = counts_of(events, 100)
    found, counts = (array[counts.any(axis=1)] for array in (found, counts))
    lower, median, upper = np.transpose(
        [
            np.quantile(
                values,
                scipy.stats.norm.cdf([-1, 0, 1]),
                weights=replica * weight,
                method="inverted_cdf",
            )
            for replica in counts
        ]
    )
    expected = np.stack([median, (upper - lower) / 2], axis=1)
    if events <= 7:  # a cell holds one event
        np.testing.assert_allclose(found, expected)
    distance = np.sqrt(np.mean((found - expected) ** 2, axis=0))
    assert np.all(distance <= 0.15 * expected.std(axis=0))
    np.testing.assert_allclose(found.std(axis=0), expected.std(axis=0), rtol=0.03)
    exact = np.quantile(values, [0.5], weights=weight, method="inverted_cdf")
    assert statistic.of_sample(weight)[0] == exact


def test_bins_are_as_if_each_was_asked_alone() -> None:
    random = np.random.default_rng(6)
    values, weight, bins = random.normal(0, 1, 900), np.ones(900), random.integers(-1, 3, 900)
    together = estimate(BiasAndResolution(values, bins, 4, weight), weight, 100)
    right = estimate(Shares(values > 0, bins, 4), weight, 100)
    for number in range(3):
        among = everywhere(bins == number)
        alone = estimate(BiasAndResolution(values, among, 1, weight), weight, 100)
        np.testing.assert_allclose(together.values[[number, 4 + number]], alone.values)
        np.testing.assert_allclose(together.errors[[number, 4 + number]], alone.errors)
        share = estimate(Shares(values > 0, among, 1), weight, 100)
        np.testing.assert_allclose(right.estimate(number), share.estimate())
    assert np.all(np.isnan([*together.values[[3, 7]], right.values[3]]))  # nobody is there


def test_a_difference_is_paired() -> None:
    # Of two methods that differ in a tenth of the events only those matter.
    random = np.random.default_rng(7)
    before = random.random(5000) < 0.7
    after = np.where(random.random(5000) < 0.1, ~before, before)
    weight = np.ones(5000)
    found = estimate(Drop(before, after), weight)
    difference = before.astype(float) - after
    assert found.values == pytest.approx([difference.mean()])
    assert found.errors == pytest.approx([difference.std() / np.sqrt(5000)], rel=ERROR_OF_ERROR)


def test_calibration_error_of_a_score_that_is_too_sure() -> None:
    random = np.random.default_rng(8)
    true = random.uniform(0.1, 0.8, 50_000)
    right, scores = random.random(50_000) < true, true + 0.1
    number = bin_of(scores, np.linspace(0, 1, 11).tolist())
    weight = np.ones(50_000)
    found = estimate(CalibrationError(right, scores, number, 10), weight, 100)
    assert found.values[0] == pytest.approx(0.1, abs=4 * found.errors[0])
    assert 0 < found.errors[0] < 0.005


def test_numbers_do_not_depend_on_threads_passes_or_company(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random = np.random.default_rng(9)
    weight = random.exponential(1, 3000)
    statistics: dict[str, CellStatistic] = {
        str(number): BiasAndResolution(random.normal(0, 1, 3000), all_of(3000), 1, weight)
        for number in range(3)
    }
    whole = bootstrap(statistics, weight, 300, 1)
    alone = bootstrap({"1": statistics["1"]}, weight, 300, 1)
    np.testing.assert_array_equal(alone["1"].replicas, whole["1"].replicas)
    monkeypatch.setattr(module, "usable_cores", lambda: 1)
    monkeypatch.setattr(module, "CELLS_AT_ONCE", 1)
    for name, found in bootstrap(statistics, weight, 300, 1).items():
        np.testing.assert_array_equal(found.replicas, whole[name].replicas)
    assert np.any(bootstrap(statistics, weight, 300, 2)["0"].replicas != whole["0"].replicas)


def test_negative_weights_count_against() -> None:
    weight = np.array([3.0, 1.0, -1.0])
    assert Shares(np.array([True, False, False]), all_of(3), 1).of_sample(weight) == [1.0]
    nobody = Shares(np.array([True]), all_of(1), 1).of_sample(np.array([-1.0]))
    assert np.isnan(nobody[0])


def test_bins_are_closed_below() -> None:
    values = np.array([-1, 0, 1, 2, 3, np.nan])
    assert bin_of(values, (0, 1, 2)).tolist() == [-1, 0, 1, 1, -1, -1]
    assert bin_of(values, (0, 1, 2), last_is_open=True).tolist() == [-1, 0, 1, 1, 1, -1]
