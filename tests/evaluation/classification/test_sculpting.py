import numpy as np
import pytest
import scipy.stats

from rootflow.evaluation.bootstrap import bootstrap
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import Sculpting
from rootflow.evaluation.classification.sculpting import (
    Divergences,
    SculptingQuestion,
    background_bins,
    quantile_edges,
)
from toy_classes import COUNTS, M4L, SAMPLES, toy_classes

MASS_EDGES = np.linspace(70, 250, 19).tolist()


def sculpted(dependence: float, seed: int = 1, replicas: int = 200) -> Sculpting:
    """Return the test of a score that depends on the mass by so much."""
    labelled = Labelled.of(toy_classes(COUNTS, seed), SAMPLES, M4L).simulation()
    random = np.random.default_rng(seed)
    mixed = (1 - dependence) * random.random(len(labelled)) + dependence * labelled.values / 250
    scores = mixed / mixed.max()
    question = SculptingQuestion(scores, labelled.values, labelled, 4, MASS_EDGES)
    found = bootstrap(question.statistics, labelled.weight, replicas, seed)
    return question.answer(found, replicas, seed)


def test_bins_hold_the_same_background() -> None:
    found = sculpted(0.3)
    totals = [mass.total for mass in found.observable]
    np.testing.assert_allclose(totals, found.inclusive.total / 4, rtol=0.01)
    np.testing.assert_allclose(
        np.sum([m.weights for m in found.observable], 0), found.inclusive.weights
    )


def test_divergence_is_that_of_its_definition() -> None:
    found = sculpted(0.3)
    p, q = (np.array(h.weights) / np.sum(h.weights) for h in (found.observable[0], found.inclusive))
    middle = (p + q) / 2
    expected = (scipy.stats.entropy(p, middle, base=2) + scipy.stats.entropy(q, middle, base=2)) / 2
    assert found.divergences[0].value.value == pytest.approx(expected)


def test_a_score_that_follows_the_mass_is_found() -> None:
    first, *_, last = sculpted(0.5).divergences
    for divergence in (first, last):
        assert divergence.value.value > divergence.expected.value + 5 * divergence.expected.error
        assert divergence.p_value == 1 / 201


def test_a_score_that_does_not_know_the_mass_is_as_statistics_make_it() -> None:
    p_values = [sculpted(0.0, seed, 60).divergences[seed % 4].p_value for seed in range(60)]
    # As many values as permutations: not quite continuous.
    assert scipy.stats.kstest(p_values, "uniform").pvalue > 0.01


def test_disjoint_spectra_are_a_bit_apart() -> None:
    bins, mass = np.repeat([0, 1], 100), np.repeat([80.0, 200.0], 100)
    found = Divergences(bins, mass, MASS_EDGES)(np.ones((1, 200)))
    # (1, 0) and (1/2, 1/2) with (3/4, 1/4) between them.
    expected = (np.log2(4 / 3) + (np.log2(2 / 3) + np.log2(2)) / 2) / 2
    np.testing.assert_allclose(found, [[expected, expected]])


def test_what_is_outside_the_window_or_no_background_does_not_count() -> None:
    bins, mass = np.array([0, 0, 1, 1, -1, 0]), np.array([80.0, 200, 80, 200, 90, 999])
    found = Divergences(bins, mass, MASS_EDGES)(np.ones((1, 6)))
    np.testing.assert_allclose(found, 0, atol=1e-12)


def test_ties_make_fewer_bins_and_none_is_empty() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L).simulation()
    edges = quantile_edges(np.full(len(labelled), 0.5), labelled, 4)
    np.testing.assert_array_equal(edges, [0, 1])


def test_each_bin_has_background_in_the_window_of_the_mass() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L).simulation()
    window = 70.0, float(np.median(labelled.values))
    scores = np.where(labelled.values < window[1], 0.5, 1e-3) * np.linspace(0.5, 1, len(labelled))
    edges = quantile_edges(scores, labelled.within(window), 4)
    bins = background_bins(scores, edges, labelled)
    found = Divergences(bins, labelled.values, np.linspace(*window, 10).tolist())
    assert len(edges) == 5
    assert np.isfinite(found(labelled.weight[np.newaxis])).all()
