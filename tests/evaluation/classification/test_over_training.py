from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from rootflow.dataset import Events
from rootflow.estimate import with_error
from rootflow.evaluation.bootstrap import bootstrap
from rootflow.evaluation.classification import cautions_of, write_report
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.ranking import (
    RankingQuestion,
    chi2,
    kolmogorov_smirnov,
    training_half,
)
from rootflow.evaluation.classification.results import OverTraining
from rootflow.evaluation.classification.scores import scored_by
from rootflow.evaluation.results import Histogram, histogram
from toy_classes import DISTANCE, SAMPLES, GaussianModel, rows_of, toy_classes

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
    question = RankingQuestion(scored.scores, scored.scores_in_training, labelled)
    replicated = bootstrap(question.statistics, labelled.weight, replicas=2, seed=1)
    answer = question.answer(replicated, EDGES).over_training
    assert answer is not None
    return answer


def test_no_event_is_seen_and_unseen(toy_events_of_classes: Events) -> None:
    events = toy_events_of_classes
    by_class = found(events)._asdict()
    for name, label in (("signal", 1), ("background", 0)):
        train, test, *_ = by_class[name]
        expected = np.sum(events.weight[events.label == label])
        assert train.total + test.total == pytest.approx(expected)
        assert train.total == pytest.approx(expected / 2, rel=0.1)


def test_halves_do_not_know_the_folds(toy_events_of_classes: Events) -> None:
    seen = training_half(toy_events_of_classes.event_number)
    shares = [np.mean(seen[toy_events_of_classes.fold == fold]) for fold in range(5)]
    np.testing.assert_allclose(shares, 0.5, atol=4 * 0.5 / np.sqrt(len(seen) / 5))


def test_a_model_that_has_learnt_by_heart_is_found(toy_events_of_classes: Events) -> None:
    for of_class in found(toy_events_of_classes)[1:]:
        assert min(of_class.kolmogorov_smirnov.p_value, of_class.chi2.p_value) > 0.01
    for of_class in found(toy_events_of_classes, cheating=0.5)[1:]:
        assert max(of_class.kolmogorov_smirnov.p_value, of_class.chi2.p_value) < 1e-6


WINDOW = (105.0, 160.0)


def pair_by_pair(scores: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    signal, background = label == 1, label == 0
    above = scores[signal][:, np.newaxis] > scores[background]
    pairs = weight[signal][:, np.newaxis] * weight[background]
    return float(np.sum(pairs * above) / np.sum(pairs))


def test_seen_and_unseen_auc_are_paired(evaluated: Callable, toy_events_of_classes: Events) -> None:
    events = toy_events_of_classes
    evaluation = evaluated(
        events, GaussianModel(cheating=0.3), replicas=200, significance_window=WINDOW
    )
    (model,) = evaluation.models
    inside = (events.event[:, 1] >= WINDOW[0]) & (events.event[:, 1] < WINDOW[1])
    (scored,) = evaluation.scored
    for part, among in zip(model.parts, (events.label >= 0, inside), strict=True):
        among = among & (events.label >= 0)
        expected = {
            name: pair_by_pair(scores[among], events.label[among], events.weight[among])
            for name, scores in (("seen", scored.scores_in_training), ("unseen", scored.scores))
        }
        seen = part.over_training.ranking
        assert part.ranking.auc.value == pytest.approx(expected["unseen"])
        assert seen.auc.value == pytest.approx(expected["seen"])
        assert seen.excess.value == pytest.approx(expected["seen"] - expected["unseen"])
        # What events do to both scores does not count.
        assert seen.excess.error < 0.5 * np.hypot(seen.auc.error, part.ranking.auc.error)
        assert seen.p_value == 1 / 201
    # Two Gaussians, further apart where they were seen.
    distance = DISTANCE + 2 * 0.3
    closed = scipy.stats.norm.cdf(distance / np.sqrt(2))
    auc = model.over_training.ranking.auc
    assert auc.value == pytest.approx(closed, abs=4 * auc.error)


def test_paired_error_is_that_of_independent_samples() -> None:
    """Seen and unseen scores differ by chance alone."""
    counts = {"ggH": 300, "VBFH": 100, "ZZ": 400, "ttbar": 100}
    pulls = []
    for seed in range(60):
        labelled = Labelled.of(toy_classes(counts, seed), SAMPLES)
        x = labelled.events.event[:, 2]
        jitter = np.random.default_rng(seed).normal(0, 0.5, (2, len(x)))
        question = RankingQuestion(*(x + jitter), labelled)
        replicated = bootstrap(question.statistics, labelled.weight, 40, seed)
        seen = question.answer(replicated, EDGES).over_training.ranking
        pulls.append(seen.excess.value / seen.excess.error)
    assert 0.75 < np.std(pulls) < 1.3
    assert abs(np.mean(pulls)) < 4 / np.sqrt(len(pulls))


class KnowsHiggsMass(GaussianModel):
    """It has learnt by heart in the window alone, where few of all events are."""

    def answer_seen(self, events: Events) -> np.ndarray:
        inside = (events.event[:, 1] >= WINDOW[0]) & (events.event[:, 1] < WINDOW[1])
        return self._score(events, 0.4 * inside * (2 * (events.label == 1) - 1.0))


def test_over_training_in_the_window_is_told_first(
    evaluated: Callable, toy_events_of_classes: Events, tmp_path: Path
) -> None:
    good, bad = GaussianModel("good"), KnowsHiggsMass("by_heart")
    evaluation = evaluated(toy_events_of_classes, good, bad, significance_window=WINDOW)
    (caution,) = cautions_of(evaluation)
    ranking = evaluation.models[1].over_training_in_window.ranking
    assert caution.startswith("by_heart treats events of its training differently: ")
    where = "m(4l) from 105 to 160 GeV"
    assert f"AUC of events with {where} {with_error(ranking.auc)} in training" in caution
    write_report(evaluation, [], {}, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert text.index("Caution:") < text.index("by_heart treats events") < text.index("<nav>")
    rows = rows_of(evaluation)["over_training"]
    assert [(row["model"], row["events"]) for row in rows] == [
        (name, events) for name in ("good", "by_heart") for events in ("all", where)
    ]
    metrics = evaluation.metrics()
    assert metrics["auc_training_excess_in_window/by_heart"] == rows[3]["excess"]
    assert metrics["auc_training_excess_in_window/good"] == 0
    assert str(rows[3]["p_value"]) == "< 0.01"


def test_p_values_in_the_window_are_of_its_events(
    evaluated: Callable, toy_events_of_classes: Events
) -> None:
    evaluation = evaluated(
        toy_events_of_classes, KnowsHiggsMass(), replicas=20, significance_window=WINDOW
    )
    (model,) = evaluation.models
    everywhere, inside = (part.over_training.background.train for part in model.parts)
    assert 0 < inside.total < everywhere.total
    assert model.over_training_in_window.signal.kolmogorov_smirnov.p_value < 1e-4
    without = evaluated(toy_events_of_classes, KnowsHiggsMass(), replicas=5)
    assert without.models[0].over_training_in_window is None
    assert not any("in_window" in name for name in without.metrics())
