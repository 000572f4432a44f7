"""Two methods in one metric, against closed forms and against the evaluation."""

from typing import Any

import numpy as np
import pytest

from rootflow.config.evaluation import EvaluationConfig, ReconstructionPromotionConfig
from rootflow.dataset import Events
from rootflow.errors import InputError, UsageError
from rootflow.evaluation.paired import Contest
from rootflow.evaluation.reconstruction import evaluate
from rootflow.evaluation.reconstruction.metrics import contest
from rootflow.methods.make import make_method
from toy_events import toy_events
from toy_methods import Knowing

JETS = [1.5, 2.5, 3.5, 6.5]


def held(
    events: Events, candidate: Any, champion: Any, metric: str = "assignment_accuracy", **more: Any
) -> Contest:
    evaluation = EvaluationConfig(replicas=more.pop("replicas", 300))
    promotion = ReconstructionPromotionConfig(metric=metric, **more)
    return contest(events, candidate, champion, promotion, evaluation, seed=1)


def test_gain_and_its_error_are_those_of_paired_shares() -> None:
    events = toy_events(3000)
    candidate, champion = Knowing("a", 0.7), Knowing("b", 0.5, seed=2)
    found = held(events, candidate, champion, replicas=1000)
    right = [
        np.all(each.answer(events).assignment == events.assignment, axis=1)[events.matched]
        for each in (candidate, champion)
    ]
    gained, lost = np.mean(right[0] & ~right[1]), np.mean(right[1] & ~right[0])
    assert found.gain is not None
    assert found.gain.value == pytest.approx(gained - lost)
    # The variance of a difference of paired shares (Q. McNemar, Psychometrika 12 (1947) 153).
    expected = np.sqrt((gained + lost - (gained - lost) ** 2) / np.sum(events.matched))
    assert found.gain.error == pytest.approx(expected, rel=0.1)
    assert found.p_value == 1 / 1001


def test_it_says_what_the_evaluation_says() -> None:
    events = toy_events(800)
    methods = [Knowing("a", 0.52), make_method("m_lb", 1)]
    config = EvaluationConfig(replicas=300, bins={"jets": JETS})
    evaluation = evaluate(events, methods, config, seed=1)
    for metric in ("assignment_accuracy", "selection_accuracy"):
        found = held(events, *methods, metric=metric, no_regression_in={"jets": JETS})
        [same] = [
            each
            for each in evaluation.comparisons
            if (each.metric, each.name, each.other) == (metric, "a", "m_lb")
        ]
        assert found.gain == pytest.approx(same.gain)
        assert found.p_value == same.p_value
    accuracy = held(events, *methods, no_regression_in={"jets": JETS})
    assert [each.candidate.value for each in accuracy.bins] == pytest.approx(
        list(evaluation.methods[0].accuracy_by["jets"].values)
    )


def test_less_resolution_is_better() -> None:
    events = toy_events(800)
    good, bad = Knowing("good", 0.8), Knowing("bad", 0.2)
    found = held(events, good, bad, metric="mtt_resolution", no_regression_in={"jets": [1.5, 6.5]})
    assert found.champion is not None
    assert found.gain is not None
    assert found.candidate.value < found.champion.value
    assert found.gain.value == pytest.approx(found.champion.value - found.candidate.value)
    assert found.bins[0].gain.value == pytest.approx(found.gain.value)
    assert found.p_value == 1 / 301


def test_a_bin_in_which_it_is_worse_has_a_small_p_value() -> None:
    events = toy_events(2000)
    found = held(
        events, Knowing("a", 0.9, worse_at=3), Knowing("b", 0.5), no_regression_in={"jets": JETS}
    )
    assert [(each.low, each.high) for each in found.bins] == [
        (1.5, 2.5),
        (2.5, 3.5),
        (3.5, 6.5),
    ]
    assert found.bins[1].gain.value < 0
    assert found.bins[1].p_value == 1 / 301
    assert all(found.bins[place].p_value > 0.9 for place in (0, 2))


def test_the_gain_is_tested_against_the_least_one() -> None:
    events = toy_events(1000)
    same = held(events, Knowing("a", 0.5), Knowing("b", 0.5))
    assert same.gain == (0, 0)
    assert same.p_value == 1  # no better in any replica
    assert held(events, Knowing("a", 0.5), Knowing("b", 0.5), least_gain=-0.01).p_value == 1 / 301
    assert held(events, Knowing("a", 0.9), Knowing("b", 0.5), least_gain=0.9).p_value == 1


def test_without_a_champion_there_is_the_metric_alone() -> None:
    events = toy_events(500)
    found = held(events, Knowing("a", 0.5), None, no_regression_in={"jets": JETS})
    both = held(events, Knowing("a", 0.5), Knowing("b", 0.5))
    assert found.candidate == both.candidate
    assert (found.champion, found.gain, found.p_value, found.bins) == (None, None, None, ())


def test_a_seed_gives_the_same_result_twice() -> None:
    events = toy_events(300)
    methods = Knowing("a", 0.6), Knowing("b", 0.5, seed=2)
    assert held(events, *methods) == held(events, *methods)


def test_what_cannot_be_compared() -> None:
    events = toy_events(300)
    methods = Knowing("a", 0.6), Knowing("b", 0.5)
    with pytest.raises(UsageError, match=r"does not exist in the bin from 6\.5 to 9\.5"):
        held(events, *methods, no_regression_in={"jets": [1.5, 6.5, 9.5]})
    with pytest.raises(InputError, match="no event to evaluate on"):
        held(events.take(slice(0)), *methods)
