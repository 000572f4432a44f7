from collections.abc import Sequence

import numpy as np
import pytest
import scipy.optimize

from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.significance import (
    NONE,
    Systematics,
    asimov,
    fit_edges,
    significance,
)
from rootflow.evaluation.results import Counts, Histogram, Spectrum
from toy_classes import COUNTS, M4L, SAMPLES, toy_classes

SIGNAL = (0.5, 2.0, 6.0)
BACKGROUND = (60.0, 20.0, 4.0)
LUMINOSITY_ONLY = Systematics(0.0, 0.017, simulated_statistics=False)


def spectrum(
    signal: Sequence[float] = SIGNAL,
    background: Sequence[float] = BACKGROUND,
    variance: Sequence[float] = (0.0, 0.0, 0.0),
    data: Sequence[int] | None = None,
) -> Spectrum:
    edges = tuple(np.linspace(0, 1, len(signal) + 1).tolist())

    def histogram(share: float, sums: Sequence[float], squares: Sequence[float]) -> Histogram:
        return Histogram(
            edges,
            tuple(share * value for value in sums),
            tuple(share * value for value in squares),
            share * sum(sums),
        )

    none = tuple(0.0 for _ in signal)
    processes = {
        "ggH": histogram(0.8, signal, none),
        "VBFH": histogram(0.2, signal, none),
        "ZZ": histogram(0.9, background, variance),
        "ttbar": histogram(0.1, background, variance),
    }
    counts = None if data is None else Counts(edges, tuple(data), none, none)
    return Spectrum(edges, processes, counts)


def found(scores: Spectrum, systematics: Systematics = NONE) -> float:
    return significance(scores, ["ggH", "VBFH"], systematics).expected


def closed_form(signal: Sequence[float], background: Sequence[float]) -> float:
    s, b = np.array(signal), np.array(background)
    return float(np.sqrt(np.sum(2 * ((s + b) * np.log(1 + s / b) - s))))


@pytest.mark.parametrize("bins", [[0, 1, 2], [2], [0]])
def test_statistics_only_is_the_closed_form(bins: list[int]) -> None:
    signal, background = np.array(SIGNAL)[bins], np.array(BACKGROUND)[bins]
    scores = spectrum(signal, background, np.zeros(len(bins)))
    assert found(scores) == pytest.approx(closed_form(signal, background), rel=0.01)


@pytest.mark.parametrize(("uncertainty", "tolerance"), [(0.05, 0.003), (0.1, 0.012)])
def test_one_bin_with_an_uncertain_background_is_a_counting_experiment(
    uncertainty: float, tolerance: float
) -> None:
    scores = spectrum([15.0], [30.0], [0.0])
    systematics = Systematics(uncertainty, 0.0, simulated_statistics=False)
    expected = float(asimov(15.0, 30.0, (uncertainty * 30) ** 2))
    # The fit takes a log-normal uncertainty, the formula a Poisson control region.
    assert found(scores, systematics) == pytest.approx(expected, rel=tolerance)


def test_a_large_uncertainty_is_log_normal() -> None:
    def minus_twice_log_likelihood(signal: float, pull: float) -> float:
        mean = signal + 30 * 1.3**pull
        return 2 * (mean - 45 * np.log(mean)) + pull**2

    without_signal = scipy.optimize.minimize_scalar(lambda p: minus_twice_log_likelihood(0, p)).fun
    expected = np.sqrt(without_signal - minus_twice_log_likelihood(15, 0))
    systematics = Systematics(0.3, 0.0, simulated_statistics=False)
    assert found(spectrum([15.0], [30.0], [0.0]), systematics) == pytest.approx(expected, rel=1e-3)


def test_one_bin_with_few_simulated_events_is_a_counting_experiment() -> None:
    scores = spectrum([15.0], [30.0], [16.0])
    systematics = Systematics(0.0, 0.0, simulated_statistics=True)
    expected = float(asimov(15.0, 30.0, 16.0))
    assert found(scores, systematics) == pytest.approx(expected, rel=0.03)


def test_each_systematic_lowers_the_significance() -> None:
    scores = spectrum(variance=(1.0, 0.7, 0.5))
    alone = found(scores)
    each = [
        found(scores, Systematics(0.1, 0.0, simulated_statistics=False)),
        found(scores, Systematics(0.0, 0.0, simulated_statistics=True)),
        found(scores, LUMINOSITY_ONLY),
    ]
    together = found(scores, Systematics(0.1, 0.017, simulated_statistics=True))
    assert together < min(each) < max(each) < alone
    assert found(scores, LUMINOSITY_ONLY) == pytest.approx(alone, rel=0.01)


def test_data_as_expected_give_what_is_expected() -> None:
    counts = [61, 22, 10]
    signal = np.array(counts) - BACKGROUND
    told = significance(spectrum(signal=signal, data=counts), ["ggH", "VBFH"], NONE)
    assert told.observed == pytest.approx(told.expected, rel=1e-3)
    assert told.observed_signal_strength == pytest.approx(1, rel=1e-3)


def test_background_alone_is_no_discovery() -> None:
    told = significance(spectrum(data=[60, 20, 4]), ["ggH", "VBFH"], NONE)
    assert told.observed == pytest.approx(0, abs=0.02)
    assert told.observed_signal_strength == pytest.approx(0, abs=0.02)


def test_a_deficit_is_no_discovery() -> None:
    told = significance(spectrum(data=[40, 10, 0]), ["ggH", "VBFH"], NONE)
    assert told.observed == 0
    assert told.observed_signal_strength == pytest.approx(0, abs=1e-6)


def test_data_far_above_all_expectation_are_fitted() -> None:
    told = significance(spectrum(data=[60, 20, 400]), ["ggH", "VBFH"], NONE)
    assert 50 < told.observed_signal_strength < 70


def test_there_is_nothing_observed_without_data() -> None:
    told = significance(spectrum(), ["ggH", "VBFH"], NONE, expected_error=0.1)
    assert (told.expected_error, told.observed, told.observed_signal_strength) == (0.1, None, None)


def test_no_bin_has_a_process_with_a_negative_sum() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L).simulation()
    scores = np.linspace(0, 1, len(labelled))[np.argsort(np.argsort(labelled.values))]
    among = np.flatnonzero(labelled.simulated["ttbar"])
    lowest = among[np.argsort(scores[among])]
    labelled.weight[lowest[:5]] = -labelled.weight[lowest[5:]].sum() / 10
    edges = fit_edges(scores, labelled, 20)
    assert (edges[0], edges[-1]) == (0, 1)
    assert np.all(np.diff(edges) > 0)
    for process in labelled.simulated.values():
        sums, _ = np.histogram(scores[process], edges, weights=labelled.weight[process])
        assert np.all(sums >= 0)


def test_no_bin_is_without_a_background_that_has_run_out_of_simulation() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L).simulation()
    heavy, light = labelled.simulated["ZZ"], labelled.simulated["ttbar"]
    labelled.weight[heavy], labelled.weight[light] = 100.0, 1.0
    scores = np.linspace(0, 1, len(labelled))[np.random.default_rng(1).permutation(len(labelled))]
    scores[heavy] /= 2  # of the light one there are 250 events above it
    edges = fit_edges(scores, labelled, 20)
    assert len(edges) > 5
    assert np.all(np.histogram(scores[heavy], edges)[0] > 0)
    labelled.weight[heavy] = 1.0
    assert np.any(np.histogram(scores[heavy], fit_edges(scores, labelled, 20))[0] == 0)


def test_signal_far_from_background_is_not_left_in_one_bin_with_it() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L).simulation()
    scores = np.random.default_rng(1).permutation(len(labelled)) / len(labelled)
    scores[labelled.signal] = 0.99 + scores[labelled.signal] / 100
    scores[labelled.background] *= 0.98
    edges = fit_edges(scores, labelled, 20)
    assert len(edges) > 5
    assert edges[-2] < 0.99
    background, _ = np.histogram(scores[labelled.background], edges)
    assert np.all(background >= 25)
