import numpy as np

from rootflow.models.neutrinos.density import (
    BOUND,
    inverse_spline,
    number_of_parameters,
    spline,
)

BINS = 5
RANDOM = np.random.default_rng(11)
PARAMETERS = RANDOM.normal(scale=1.5, size=(400, number_of_parameters(BINS))).astype(np.float32)
VALUES = RANDOM.uniform(-1.3 * BOUND, 1.3 * BOUND, 400).astype(np.float32)


def test_a_spline_of_zeros_leaves_all_as_it_is() -> None:
    same, log_slope = spline(VALUES, np.zeros_like(PARAMETERS))
    np.testing.assert_allclose(same, VALUES, atol=2e-6)
    np.testing.assert_allclose(log_slope, 0, atol=2e-6)


def test_the_inverse_gives_back_what_the_spline_took() -> None:
    bent, log_slope = map(np.asarray, spline(VALUES, PARAMETERS))
    back, inverse_slope = inverse_spline(bent, PARAMETERS)
    # Rounding of a value is stretched by the slope of the inverse.
    np.testing.assert_array_less(
        np.abs(np.asarray(back) - VALUES), 1e-5 * np.maximum(1, np.exp(-log_slope))
    )
    inside = np.abs(VALUES) < BOUND
    assert np.abs(bent - VALUES)[inside].max() > 0.5
    np.testing.assert_allclose(inverse_slope, -log_slope, atol=1e-2)


def test_beyond_the_bound_nothing_is_bent() -> None:
    beyond = np.abs(VALUES) >= BOUND
    bent, log_slope = map(np.asarray, spline(VALUES, PARAMETERS))
    np.testing.assert_array_equal(bent[beyond], VALUES[beyond])
    np.testing.assert_array_equal(log_slope[beyond], 0)


def test_the_slope_is_that_of_a_finite_difference_and_never_negative() -> None:
    grid = np.linspace(-BOUND + 1e-3, BOUND - 1e-3, 20_001, dtype=np.float32)
    one = np.broadcast_to(PARAMETERS[0], (len(grid), PARAMETERS.shape[1]))
    bent, log_slope = map(np.asarray, spline(grid, one))
    assert np.all(np.diff(bent) > -1e-6)
    # The slope, added up over a stretch, is the way that the spline goes there.
    ways = bent[1000::1000] - bent[:-1000:1000]
    slopes = np.exp(log_slope)
    sums = [
        np.trapezoid(slopes[start : start + 1001], grid[start : start + 1001])
        for start in range(0, 20_000, 1000)
    ]
    np.testing.assert_allclose(sums, ways, rtol=2e-3)
