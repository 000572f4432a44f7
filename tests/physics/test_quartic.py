import numpy as np
import pytest

from rootflow.physics.neutrino_ellipses import real_quartic_roots


def real_roots(*coefficients: float) -> np.ndarray:
    roots = np.full(4, np.nan)
    return np.sort(roots[: real_quartic_roots(*coefficients, roots)])


@pytest.mark.parametrize(
    ("coefficients", "roots"),
    [
        ((1, 0, -5, 0, 4), [-2, -1, 1, 2]),  # (x^2 - 1)(x^2 - 4)
        ((2, -20, 70, -100, 48), [1, 2, 3, 4]),
        ((1, 0, 0, 0, -1), [-1, 1]),
        ((1, 0, 0, 0, 1), []),
        ((1, 0, 5, 0, 4), []),
        ((1, -3, 3, -3, 2), [1, 2]),  # (x - 1)(x - 2)(x^2 + 1)
        ((-3, 0, 15, 0, -12), [-2, -1, 1, 2]),
    ],
)
def test_known_roots(coefficients: tuple[float, ...], roots: list[float]) -> None:
    np.testing.assert_allclose(real_roots(*map(float, coefficients)), roots, atol=1e-9)


def test_a_root_of_multiplicity_four_is_found() -> None:
    np.testing.assert_allclose(real_roots(1.0, -8.0, 24.0, -32.0, 16.0), [2, 2, 2, 2], atol=1e-3)


def test_roots_are_those_of_the_companion_matrix() -> None:
    random = np.random.default_rng(1)
    for coefficients in random.normal(0, 1, (2000, 5)) * 10 ** random.uniform(-1, 1, (2000, 5)):
        expected = np.roots(coefficients)
        is_real = np.abs(expected.imag) < 1e-9 * (1 + np.abs(expected))
        found = real_roots(*coefficients)
        rounding = 1e-8 * np.max(np.abs(expected))
        np.testing.assert_allclose(found, np.sort(expected[is_real].real), rtol=1e-6, atol=rounding)
