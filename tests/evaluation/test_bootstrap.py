import numpy as np
import pytest
import scipy.stats

from rootflow.evaluation import bootstrap as module
from rootflow.evaluation.bootstrap import FloatArray, bootstrap


class Mean:
    """The weighted mean of values."""

    def __init__(self, values: FloatArray) -> None:
        self.values = values[:, np.newaxis]

    def __call__(self, weights: FloatArray) -> FloatArray:
        return weights @ self.values / np.sum(weights, axis=1, keepdims=True)


def test_error_of_a_mean_is_that_of_the_spread() -> None:
    values = np.random.default_rng(1).normal(5, 3, 2000)
    found = bootstrap({"x": Mean(values)}, np.ones(2000), 2000, 1)["x"]
    assert found.values == pytest.approx([values.mean()])
    # The relative spread of a standard deviation that is itself found from so many replicas.
    assert found.errors == pytest.approx([values.std() / np.sqrt(2000)], rel=4 / np.sqrt(2 * 2000))


def test_same_seed_same_errors_and_another_seed_others() -> None:
    statistics = {"x": Mean(np.arange(100.0))}
    first, again, other = (
        bootstrap(statistics, np.ones(100), 50, seed)["x"].errors for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert np.any(first != other)


def test_errors_do_not_depend_on_the_size_of_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    statistics = {"x": Mean(np.arange(100.0))}
    whole = bootstrap(statistics, np.ones(100), 50, 1)["x"]
    monkeypatch.setattr(module, "WEIGHTS_AT_ONCE", 700)
    np.testing.assert_allclose(
        bootstrap(statistics, np.ones(100), 50, 1)["x"].replicas, whole.replicas
    )


def test_table_is_poisson_of_mean_one() -> None:
    shares = np.bincount(module.POISSON) / len(module.POISSON)
    expected = scipy.stats.poisson.pmf(np.arange(len(shares)), 1)
    np.testing.assert_allclose(shares, expected, rtol=0, atol=2**-16)
    assert module.POISSON.mean() == pytest.approx(1, abs=1e-4)
    assert module.POISSON.var() == pytest.approx(1, abs=1e-4)
