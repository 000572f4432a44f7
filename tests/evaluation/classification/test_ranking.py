from collections.abc import Callable

import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from sklearn.metrics import roc_auc_score, roc_curve

from rootflow.dataset import Events
from rootflow.evaluation.bootstrap import bootstrap
from rootflow.evaluation.classification.ranking import (
    QUOTED_EFFICIENCIES,
    SIGNAL_EFFICIENCIES,
    AreaUnderCurve,
    BackgroundEfficiencies,
    Reliability,
)
from rootflow.evaluation.classification.results import Calibration
from rootflow.evaluation.paired import paired
from toy_classes import GaussianModel


def gaussians(count: int, distance: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    signal = np.arange(count) < count // 2
    return random.normal(np.where(signal, distance, 0), 1), signal


def delong(scores: np.ndarray, signal: np.ndarray) -> float:
    """The standard error of an AUC by placement values: DeLong et al., Biometrics 44 (1988) 837."""
    s, b = scores[signal], scores[~signal]
    wins = (s[:, None] > b) + 0.5 * (s[:, None] == b)
    of_signal, of_background = wins.mean(axis=1).var(ddof=1), wins.mean(axis=0).var(ddof=1)
    return float(np.sqrt(of_signal / len(s) + of_background / len(b)))


@pytest.mark.parametrize("ties", [False, True])
def test_weighted_auc_is_that_of_scikit_learn(ties: bool) -> None:
    scores, signal = gaussians(2000, 1.0)
    scores = np.round(scores, 1) if ties else scores
    weight = np.random.default_rng(2).exponential(1, 2000)
    found = AreaUnderCurve(scores, signal)(weight[None])
    assert found[0, 0] == pytest.approx(roc_auc_score(signal, scores, sample_weight=weight))


def test_auc_of_two_gaussians() -> None:
    scores, signal = gaussians(40_000, 1.5)
    expected = scipy.stats.norm.cdf(1.5 / np.sqrt(2))
    found = bootstrap({"auc": AreaUnderCurve(scores, signal)}, np.ones(len(scores)), 100, 1)["auc"]
    assert found.values[0] == pytest.approx(expected, abs=4 * found.errors[0])
    assert found.errors[0] < 0.003


def test_error_is_that_of_delong_and_of_hanley_and_mcneil() -> None:
    scores, signal = gaussians(2000, 1.0)
    found = bootstrap({"auc": AreaUnderCurve(scores, signal)}, np.ones(2000), 2000, 1)["auc"]
    area, each = found.values[0], 1000
    assert found.errors[0] == pytest.approx(delong(scores, signal), rel=0.07)
    # J. Hanley, B. McNeil, Radiology 143 (1982) 29: for exponential scores, near enough here.
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (each - 1) * (q1 - area**2) + (each - 1) * (q2 - area**2)
    assert found.errors[0] == pytest.approx(np.sqrt(variance) / each, rel=0.1)


def test_a_constant_score_ranks_half() -> None:
    signal = np.arange(10) < 5
    area = AreaUnderCurve(np.full(10, 0.3), signal)
    np.testing.assert_allclose(area(np.arange(1.0, 11)[None]), [[0.5]])


def test_one_background_of_two() -> None:
    scores = np.array([3.0, 2.0, 1.0, 4.0])
    signal, other = np.array([True, False, False, False]), np.array([False, False, False, True])
    areas = [AreaUnderCurve(scores, signal, among) for among in (~signal & ~other, other, None)]
    found = [float(area(np.ones((1, 4)))[0, 0]) for area in areas]
    assert found == pytest.approx([1, 0, 2 / 3])


def test_negative_weights_cancel_an_event() -> None:
    scores, signal = gaussians(200, 1.0)
    weight = np.ones(200)
    doubled, among = np.append(scores, [9.0, 9.0]), np.append(signal, [False, False])
    found = AreaUnderCurve(doubled, among)(np.append(weight, [1.0, -1.0])[None])
    np.testing.assert_allclose(found, AreaUnderCurve(scores, signal)(weight[None]))


def test_no_auc_without_a_class() -> None:
    area = AreaUnderCurve(np.array([0.1, 0.9]), np.array([False, True]))
    assert np.isnan(area(np.array([[1.0, 0.0], [-1.0, 1.0]]))).all()


def test_curve_is_that_of_scikit_learn() -> None:
    scores, signal = gaussians(2000, 1.0)
    scores, weight = np.round(scores, 1), np.random.default_rng(3).exponential(1, 2000)
    false, true, _ = roc_curve(signal, scores, sample_weight=weight, drop_intermediate=False)
    found = BackgroundEfficiencies(scores, signal)(weight[None])[0]
    points = len(SIGNAL_EFFICIENCIES)
    np.testing.assert_allclose(found[:points], np.interp(SIGNAL_EFFICIENCIES, true, false))
    np.testing.assert_allclose(found[points:], 1 / np.interp(QUOTED_EFFICIENCIES, true, false))


def test_curve_of_two_gaussians() -> None:
    scores, signal = gaussians(20_000, 1.0)
    found = bootstrap({"roc": BackgroundEfficiencies(scores, signal)}, np.ones(20_000), 100, 1)
    asked = np.array(QUOTED_EFFICIENCIES)
    expected = 1 / scipy.stats.norm.sf(1 + scipy.stats.norm.isf(asked))
    quoted = found["roc"].part(slice(len(SIGNAL_EFFICIENCIES), None))
    values, errors = quoted.values, quoted.errors
    np.testing.assert_array_less(np.abs(values - expected), 4 * errors)
    np.testing.assert_array_less(errors, 0.1 * values)


def test_paired_difference_has_the_smaller_error() -> None:
    scores, signal = gaussians(2000, 1.0)
    worse = scores + np.random.default_rng(4).normal(0, 0.5, 2000)
    areas = {"one": AreaUnderCurve(scores, signal), "other": AreaUnderCurve(worse, signal)}
    found = bootstrap(areas, np.ones(2000), 300, 1)
    difference = paired(found["one"], found["other"])
    assert difference.gain.value == found["one"].values[0] - found["other"].values[0]
    assert difference.gain.error < 0.6 * np.hypot(found["one"].errors, found["other"].errors)[0]
    assert difference.p_value == 1 / 301
    assert paired(found["other"], found["one"]).p_value == 1


def test_p_values_of_equally_good_models_are_uniform() -> None:
    def p_value(seed: int) -> float:
        random = np.random.default_rng(seed)
        signal = np.arange(200) < 100
        x = random.normal(np.where(signal, 1.0, 0), 1)
        areas = {
            name: AreaUnderCurve(x + random.normal(0, 1, 200), signal) for name in ("one", "other")
        }
        found = bootstrap(areas, np.ones(200), 100, seed)
        return paired(found["one"], found["other"]).p_value

    p_values = [p_value(seed) for seed in range(200)]
    assert scipy.stats.kstest(p_values, "uniform").pvalue > 0.01


def test_models_of_an_evaluation_share_the_replicas(
    evaluated: Callable, toy_events_of_classes: Events
) -> None:
    evaluation = evaluated(
        toy_events_of_classes, GaussianModel("a"), GaussianModel("b"), score_bins=5
    )
    difference = evaluation.comparisons[0]
    assert (difference.name, difference.other) == ("a", "b")
    assert difference.gain == (0.0, 0.0)
    assert difference.p_value == 1


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
