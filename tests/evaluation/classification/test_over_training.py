import numpy as np
import pytest
import scipy.stats

from rootflow.dataset import Events
from rootflow.evaluation.classification.asking import scored_by
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.over_training import (
    chi2,
    kolmogorov_smirnov,
    over_training,
    seen_half,
)
from rootflow.evaluation.classification.results import OverTraining
from rootflow.evaluation.classification.spectra import histogram
from rootflow.evaluation.results import Histogram
from toy_classes import SAMPLES, GaussianModel

EDGES = np.linspace(0, 1, 21).tolist()


def histogram_of(values: np.ndarray, weight: np.ndarray) -> Histogram:
    return histogram(values, weight, EDGES, np.ones(len(values), bool))


def weights(random: np.random.Generator, count: int, negative: bool) -> np.ndarray:
    weight = random.exponential(1, count)
    return np.where(random.random(count) < 0.1, -weight, weight) if negative else weight


def test_unweighted_kolmogorov_smirnov_is_that_of_scipy() -> None:
    random = np.random.default_rng(1)
    one, other = np.round(random.random(400), 2), np.round(random.random(300) ** 1.2, 2)
    found = kolmogorov_smirnov(one, np.ones(400), other, np.full(300, 0.1))
    expected = scipy.stats.ks_2samp(one, other, method="asymp")
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_unweighted_chi2_is_that_of_a_contingency_table() -> None:
    random = np.random.default_rng(2)
    one, other = random.random(2000), random.random(2000) ** 1.1
    first, second = histogram_of(one, np.ones(2000)), histogram_of(other, np.ones(2000))
    expected = scipy.stats.chi2_contingency([first.weights, second.weights], correction=False)
    found = chi2(first, second)
    assert found.degrees_of_freedom == expected.dof == 19
    # Equal for samples of the same size: both have n1 + n2 in the denominator.
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("negative", [False, True])
def test_p_values_of_one_distribution_are_uniform(negative: bool) -> None:
    p_values = []
    for seed in range(400):
        random = np.random.default_rng(seed)
        one, other = random.beta(2, 3, 1500), random.beta(2, 3, 2500)
        first, second = weights(random, 1500, negative), 0.1 * weights(random, 2500, negative)
        p_values.append(
            (
                kolmogorov_smirnov(one, first, other, second).p_value,
                chi2(histogram_of(one, first), histogram_of(other, second)).p_value,
            )
        )
    for found in np.transpose(p_values):
        assert scipy.stats.kstest(found, "uniform").pvalue > 0.01


def test_too_few_events_are_not_tested() -> None:
    few = histogram_of(np.array([0.2, 0.4]), np.ones(2))
    assert chi2(few, few) is None
    assert kolmogorov_smirnov(np.zeros(0), np.zeros(0), np.ones(5), np.ones(5)) is None
    assert kolmogorov_smirnov(np.ones(2), np.ones(2), np.ones(1), np.ones(1)) is not None


def found(events: Events, cheating: float = 0.0) -> OverTraining:
    labelled = Labelled.of(events, SAMPLES)
    (scored,) = scored_by([GaussianModel(cheating=cheating)], labelled)
    return over_training(scored, labelled, EDGES)


def test_no_event_is_seen_and_unseen(toy_events_of_classes: Events) -> None:
    events = toy_events_of_classes
    by_class = found(events)._asdict()
    for name, label in (("signal", 1), ("background", 0)):
        train, test, *_ = by_class[name]
        expected = np.sum(events.weight[events.label == label])
        assert train.total + test.total == pytest.approx(expected)
        assert train.total == pytest.approx(expected / 2, rel=0.1)


def test_halves_do_not_know_the_folds(toy_events_of_classes: Events) -> None:
    seen = seen_half(toy_events_of_classes.event_number)
    shares = [np.mean(seen[toy_events_of_classes.fold == fold]) for fold in range(5)]
    np.testing.assert_allclose(shares, 0.5, atol=4 * 0.5 / np.sqrt(len(seen) / 5))


def test_a_model_that_has_learnt_by_heart_is_found(toy_events_of_classes: Events) -> None:
    for of_class in found(toy_events_of_classes):
        assert min(of_class.kolmogorov_smirnov.p_value, of_class.chi2.p_value) > 0.01
    for of_class in found(toy_events_of_classes, cheating=0.5):
        assert max(of_class.kolmogorov_smirnov.p_value, of_class.chi2.p_value) < 1e-6
