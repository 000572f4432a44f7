from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from rootflow.evaluation.bootstrap import bootstrap
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import BestCut, CutScan
from rootflow.evaluation.classification.significance import (
    CutQuestion,
    Significances,
    asimov,
    s_over_sqrt_b,
)
from toy_classes import COUNTS, DISTANCE, EXPECTED, SAMPLES, GaussianModel, toy_classes


def best_cut(
    counts: dict[str, int] = COUNTS, replicas: int = 100, scores: np.ndarray | None = None
) -> tuple[CutScan, BestCut, Labelled, np.ndarray]:
    labelled = Labelled.of(toy_classes(counts), SAMPLES).simulation()
    if scores is None:
        scores = GaussianModel().answer(labelled.events)
    return *scanned(scores, labelled, replicas, seed=1), labelled, scores


def scanned(
    scores: np.ndarray, labelled: Labelled, replicas: int, seed: int
) -> tuple[CutScan, BestCut]:
    question = CutQuestion(scores, labelled, background_uncertainty=0.1)
    return question.answer(bootstrap(question.statistics, labelled.weight, replicas, seed))


def test_scan_counts_what_is_kept() -> None:
    scan, best, labelled, scores = best_cut()
    for threshold, signal, background in zip(
        scan.thresholds, scan.signal, scan.background, strict=True
    ):
        kept = scores >= threshold
        assert signal == pytest.approx(labelled.weight[kept & labelled.signal].sum())
        assert background == pytest.approx(labelled.weight[kept & labelled.background].sum())
    assert scan.thresholds[0] == 0
    assert scan.signal[0] == pytest.approx(EXPECTED["ggH"] + EXPECTED["VBFH"])
    kept = scores >= best.threshold
    variance = np.sum(labelled.weight[kept & labelled.background] ** 2)
    assert best.background.error == pytest.approx(np.sqrt(variance))
    assert best.background_uncertainty == pytest.approx(
        np.hypot(0.1 * best.background.value, best.background.error)
    )
    assert best.significance.value == pytest.approx(
        asimov(best.signal.value, best.background.value, best.background_uncertainty**2)
    )
    assert best.significance.value == max(each for each in scan.significance if each is not None)


def test_best_cut_of_gaussians_is_near_the_true_one() -> None:
    many = {name: 40 * count for name, count in COUNTS.items()}
    _, best, *_ = best_cut(many, replicas=10)
    x = np.linspace(-1, 2.5, 2000)
    signal = 14.0 * scipy.stats.norm.sf(x - DISTANCE / 2)
    background = 70.0 * scipy.stats.norm.sf(x + DISTANCE / 2)
    true = asimov(signal, background, (0.1 * background) ** 2)
    assert best.significance.value == pytest.approx(np.max(true), rel=0.02)
    assert best.signal_efficiency == pytest.approx(signal[np.argmax(true)] / 14.0, abs=0.1)


def test_only_cuts_count_that_leave_enough_background() -> None:
    scan, best, labelled, scores = best_cut()
    weight = labelled.weight
    for threshold, significance in zip(scan.thresholds, scan.significance, strict=True):
        kept = weight[(scores >= threshold) & labelled.background]
        enough = len(kept) > 0 and kept.sum() ** 2 >= 25 * np.sum(kept**2)
        assert (significance is not None) == enough
    assert best.background_effective_events >= 25
    assert None in scan.significance


def test_no_cut_is_above_one_that_leaves_too_little_of_a_background() -> None:
    # One in 20 events of background stands for a thousand, at low scores. Where few of them are
    # left the sum is hardly known; where none is, the others look as if it were known again.
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES).simulation()
    heavy = np.flatnonzero(labelled.background)[::20]
    weight = labelled.weight.copy()
    weight[heavy] *= 1000
    scores = np.clip(GaussianModel().answer(labelled.events), 0.01, 0.99)
    scores[heavy] = np.linspace(0, 0.3, len(heavy))
    scan, best = scanned(scores, replace(labelled, weight=weight), replicas=5, seed=1)
    counts = np.array([significance is not None for significance in scan.significance])
    few = np.sort(scores[heavy])[-10]
    assert best.threshold < few
    assert not counts[np.array(scan.thresholds) >= few].any()
    assert counts[: np.argmin(counts)].all()


def test_optimism_is_what_fresh_events_take_away() -> None:
    # The best of many thresholds on scores without any information is luck alone.
    gains, optimisms = [], []
    for seed in range(30):
        labelled = Labelled.of(toy_classes(COUNTS, seed), SAMPLES).simulation()
        scores = np.random.default_rng(seed).random(len(labelled))
        _, best = scanned(scores, labelled, 40, seed)
        expected = asimov(
            14 * (1 - best.threshold),
            70 * (1 - best.threshold),
            (7 * (1 - best.threshold)) ** 2
            + np.sum(labelled.weight[labelled.background] ** 2) * (1 - best.threshold),
        )
        gains.append(best.significance.value - float(expected))
        optimisms.append(best.optimism)
    assert np.mean(gains) == pytest.approx(np.mean(optimisms), abs=0.5 * np.mean(gains))
    assert np.mean(optimisms) > 0


def test_error_is_that_of_independent_samples() -> None:
    found = [best_cut(replicas=60)[1]]
    threshold = found[0].threshold
    values = []
    for seed in range(60):
        labelled = Labelled.of(toy_classes(COUNTS, seed + 10), SAMPLES).simulation()
        scores = GaussianModel().answer(labelled.events)
        statistic = Significances(scores, labelled, np.array([0.0, threshold]), 0.1)
        values.append(statistic(labelled.weight[None])[0, 1])
    # Toys share their sums of weights, replicas do not: errors of replicas are a bit larger.
    ratio = found[0].significance.error / np.std(values)
    assert 0.7 < ratio < 1.6


def test_best_cut_is_that_of_a_search_among_every_score() -> None:
    scan, best, labelled, scores = best_cut()
    found = {}
    for threshold in [0.0, *scores]:
        s, b = (
            labelled.weight[among & (scores >= threshold)]
            for among in (labelled.signal, labelled.background)
        )
        if np.sum(s) > 0 and np.sum(b) > 0 and np.sum(b) ** 2 >= 25 * np.sum(b**2):
            variance = (0.1 * np.sum(b)) ** 2 + np.sum(b**2)
            found[threshold] = float(asimov(np.sum(s), np.sum(b), variance))
    threshold = max(found, key=found.__getitem__)
    assert best.threshold == threshold
    assert best.significance.value == pytest.approx(found[threshold])
    # A scan of quantiles of the signal alone does not hold it.
    quantiles = np.quantile(scores[labelled.signal], np.arange(1, 200) / 200, method="inverted_cdf")
    assert best.threshold not in quantiles
    assert set(quantiles) < set(scan.thresholds)


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
