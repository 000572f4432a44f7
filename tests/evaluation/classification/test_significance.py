import numpy as np
import pytest

from rootflow.evaluation.classification.cut import asimov, s_over_sqrt_b


def test_known_background_gives_equation_97() -> None:
    s, b = np.array([1.0, 10.0, 50.0]), np.array([100.0, 9.0, 4.0])
    expected = np.sqrt(2 * ((s + b) * np.log(1 + s / b) - s))
    np.testing.assert_allclose(asimov(s, b), expected)
    np.testing.assert_allclose(asimov(s, b, 1e-12 * b), expected, rtol=1e-6)


def test_equation_20_as_it_is_printed() -> None:
    s, b, sigma = 10.0, 20.0, 4.0
    v = sigma**2
    first = (s + b) * np.log((s + b) * (b + v) / (b**2 + (s + b) * v))
    second = b**2 / v * np.log(1 + v * s / (b * (b + v)))
    expected = np.sqrt(2 * (first - second))
    assert asimov(s, b, v) == pytest.approx(expected)


@pytest.mark.parametrize("relative", [0.0, 0.05, 0.3])
def test_small_signal_gives_the_familiar_ratios(relative: float) -> None:
    s, b = 1e-3, 100.0
    variance = (relative * b) ** 2
    assert asimov(s, b, variance) == pytest.approx(s / np.sqrt(b + variance), rel=1e-4)
    assert asimov(s, b) == pytest.approx(s_over_sqrt_b(s, b), rel=1e-4)


def test_it_is_the_profile_likelihood_of_a_control_region() -> None:
    # n ~ Poisson(s + b) and m ~ Poisson(tau b) with tau = b / sigma^2, Asimov data of s + b.
    s, b, variance = 7.0, 12.0, 9.0
    tau = b / variance
    n, m = s + b, tau * b

    def log_likelihood(signal: float, background: float) -> float:
        mean, control = signal + background, tau * background
        return n * np.log(mean) - mean + m * np.log(control) - control

    without_signal = (n + m) / (1 + tau)
    q0 = 2 * (log_likelihood(s, b) - log_likelihood(0, without_signal))
    assert asimov(s, b, variance) == pytest.approx(np.sqrt(q0))


def test_uncertainty_only_lowers_it() -> None:
    found = asimov(5.0, 10.0, np.linspace(0, 50, 100))
    assert np.all(np.diff(found) < 0)


def test_without_background_or_signal() -> None:
    assert np.isnan([asimov(1.0, 0.0), asimov(1.0, -1.0), s_over_sqrt_b(1.0, 0.0)]).all()
    assert asimov(0.0, 5.0) == asimov(-1.0, 5.0) == 0
