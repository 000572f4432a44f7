from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from rootflow.evaluation.bootstrap import bootstrap
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import Sculpting
from rootflow.evaluation.classification.sculpting import SculptingQuestion, quantile_edges
from toy_classes import COUNTS, M4L, SAMPLES, toy_classes

MASS_EDGES = np.linspace(70, 250, 19).tolist()


def sculpted(dependence: float, seed: int = 1, replicas: int = 200) -> Sculpting:
    """Return the test of a score that depends on the mass by so much."""
    labelled = Labelled.of(toy_classes(COUNTS, seed), SAMPLES, M4L).simulation()
    random = np.random.default_rng(seed)
    mixed = (1 - dependence) * random.random(len(labelled)) + dependence * labelled.values / 250
    scores = mixed / mixed.max()
    question = SculptingQuestion(scores, labelled, 4, MASS_EDGES)
    found = bootstrap({"divergences": question}, labelled.weight, replicas, seed)
    return question.answer(found["divergences"], replicas, seed)


def divergences(mass: list[float], scores: list[float]) -> np.ndarray:
    """Return those of two bins of the score, of events of background beside signal in between."""
    counts = {"ggH": 100, "VBFH": 100, "ZZ": 90 * len(mass), "ttbar": 10 * len(mass)}
    labelled = Labelled.of(toy_classes(counts), SAMPLES, M4L)
    values, weight, chosen = (
        np.full(len(labelled), 120.0),
        np.ones(len(labelled)),
        labelled.background,
    )
    score = np.where(chosen, 0.0, 0.5)
    values[chosen], score[chosen] = (
        np.resize(mass, np.sum(chosen)),
        np.resize(scores, np.sum(chosen)),
    )
    changed = replace(labelled, values=values, weight=weight)
    return SculptingQuestion(score, changed, 2, MASS_EDGES)(weight[np.newaxis])[0]


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


def test_disjoint_spectra_are_as_far_apart_as_their_shares_say() -> None:
    found = divergences([80, 200, 200], [0.2, 0.8, 0.8])
    inclusive = np.array([1 / 3, 2 / 3])
    expected = [
        (
            scipy.stats.entropy(p, (p + inclusive) / 2, base=2)
            + scipy.stats.entropy(inclusive, (p + inclusive) / 2, base=2)
        )
        / 2
        for p in np.eye(2)
    ]
    np.testing.assert_allclose(found, expected)


def test_what_is_outside_the_window_or_no_background_does_not_count() -> None:
    found = divergences([80, 200, 80, 200, 80, 200, 999], [0.2, 0.2, 0.8, 0.8, 0.8, 0.8, 0.2])
    np.testing.assert_allclose(found, [0, 0], atol=1e-12)


def test_ties_make_fewer_bins_and_none_is_empty() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L).simulation()
    edges = quantile_edges(np.full(len(labelled), 0.5), labelled, 4)
    np.testing.assert_array_equal(edges, [0, 1])


def test_each_bin_has_background_in_the_window_of_the_mass() -> None:
    labelled = Labelled.of(toy_classes(COUNTS), SAMPLES, M4L).simulation()
    window = 70.0, float(np.median(labelled.values))
    scores = np.where(labelled.values < window[1], 0.5, 1e-3) * np.linspace(0.5, 1, len(labelled))
    question = SculptingQuestion(scores, labelled, 4, np.linspace(*window, 10).tolist())
    found = question(labelled.weight[np.newaxis])
    assert found.shape == (1, 4)
    assert np.isfinite(found).all()


def test_weights_of_samples_that_differ_sculpt_nothing() -> None:
    p_values = []
    counts = {"ggH": 100, "VBFH": 100, "ZZ": 1000, "ttbar": 2000}
    for seed in range(10):
        labelled = Labelled.of(toy_classes(counts, seed), SAMPLES, M4L).simulation()
        random = np.random.default_rng(seed)
        heavy, light = labelled.simulated["ZZ"], labelled.simulated["ttbar"]
        labelled.weight[heavy], labelled.weight[light] = 100.0, 1.0
        labelled.values[labelled.background] = random.uniform(70, 250, labelled.background.sum())
        scores = random.random(len(labelled)) + light
        scores /= scores.max()
        question = SculptingQuestion(scores, labelled, 4, MASS_EDGES)
        found = bootstrap({"divergences": question}, labelled.weight, 2, seed)
        answer = question.answer(found["divergences"], 200, seed)
        p_values += [each.p_value for each in answer.divergences]
        expected = [each.expected.value for each in answer.divergences]
        np.testing.assert_allclose(expected, np.mean(expected), rtol=0.2)
    assert 0.3 < np.mean(p_values) < 0.7
