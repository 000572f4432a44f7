import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from rootflow.evaluation.bootstrap import bootstrap
from rootflow.evaluation.classification.calibration import Reliability
from rootflow.evaluation.classification.results import Calibration

EDGES = np.linspace(0, 1, 11)
DISTANCE = 1.5


def calibrated(slope: float = DISTANCE, share_of_signal: float = 0.1, seed: int = 1) -> Calibration:
    """Return the calibration of a likelihood ratio; its slope is right at the distance."""
    random = np.random.default_rng(seed)
    signal = random.random(40_000) < share_of_signal
    x = random.normal(np.where(signal, DISTANCE / 2, -DISTANCE / 2), 1)
    scores = 1 / (1 + np.exp(-slope * x))
    statistic = Reliability(scores, signal, EDGES)
    weight = random.exponential(1, len(x)) * np.where(signal, 0.01, 3.0)
    return statistic.answer(bootstrap({"r": statistic}, weight, 100, seed)["r"])


def expected_brier_score() -> float:
    """Return E[(score - label)^2] for the likelihood ratio of balanced Gaussians."""

    def integrand(x: float) -> float:
        signal, background = scipy.stats.norm.pdf(x, [DISTANCE / 2, -DISTANCE / 2])
        score = signal / (signal + background)
        return 0.5 * (signal * (1 - score) ** 2 + background * score**2)

    return float(scipy.integrate.quad(integrand, -8, 8)[0])


def test_a_likelihood_ratio_is_calibrated_whatever_the_share_of_signal() -> None:
    for share_of_signal in (0.1, 0.5):
        found = calibrated(share_of_signal=share_of_signal)
        values, errors = np.array(found.reliability.values), np.array(found.reliability.errors)
        pulls = (values - np.array(found.mean_scores)) / errors
        assert np.sum(pulls**2) < scipy.stats.chi2.isf(1e-3, len(values))
        assert np.sum(found.shares) == pytest.approx(1)
        assert found.expected_calibration_error.value < 0.02


def test_brier_score_is_its_integral() -> None:
    found = calibrated().brier_score
    assert found.value == pytest.approx(expected_brier_score(), abs=4 * found.error)


def test_overconfidence_is_seen() -> None:
    found = calibrated(slope=3 * DISTANCE)
    assert found.reliability.values[0] > found.mean_scores[0]
    assert found.reliability.values[-1] < found.mean_scores[-1]
    assert found.expected_calibration_error.value > 0.05
    assert found.brier_score.value > calibrated().brier_score.value


def test_one_score_for_all() -> None:
    signal = np.arange(10) < 4
    found = Reliability(np.full(10, 0.5), signal, EDGES)(np.ones((1, 10)))[0]
    reliability, mean_scores, shares = found[:10], found[10:20], found[20:30]
    assert reliability[5] == mean_scores[5] == 0.5
    assert shares[5] == pytest.approx(1)
    assert np.isnan(np.delete(reliability, 5)).all()
    assert found[-2:] == pytest.approx([0, 0.25])
