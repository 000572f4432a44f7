from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rootflow.dataset import Events
from rootflow.errors import ConformanceError
from rootflow.methods.conformance import check_method
from rootflow.methods.contract import Scores

if TYPE_CHECKING:
    from rootflow.methods.trained import TrainedMethod


class Method:
    """A cut on the leading lepton, with something done to its scores."""

    name = "cut"

    def __init__(self, change: Callable[[Scores, Events], Scores]) -> None:
        self.change = change

    def answer(self, events: Events) -> Scores:
        scores = 1 / (1 + np.exp(-events.leptons[:, 0, 0].astype(np.float64) / 100))
        return self.change(scores, events)


def test_a_right_one_passes(toys: Events) -> None:
    check_method(Method(lambda scores, _: scores), toys)


def test_networks_pass(networks: "list[TrainedMethod]", toys: Events) -> None:
    unseen = toys.fold == 1
    check_method(networks[1], toys.take(unseen), seen=toys.take(~unseen))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda scores, _: scores * 2, "from 0 to 1"),
        (lambda scores, _: scores - 1, "from 0 to 1"),
        (lambda scores, _: np.where(scores > 0.6, np.nan, scores), "finite"),
        (lambda scores, _: scores.astype(np.float32), "float64"),
        (lambda scores, _: scores[:, None], "shape"),
        (lambda scores, _: scores.tolist(), "numpy array"),
        (lambda scores, _: scores * np.linspace(0.5, 1, len(scores)), "order of the events"),
        (lambda scores, _: scores / max(scores.sum(), 1), "other events|a whole batch|alone"),
        (lambda scores, _: scores * (len(scores) > 1), "alone"),
        (lambda scores, _: scores * (len(scores) <= 1024), "a batch and an event more"),
        (lambda scores, events: scores * (events.weight > 0), "weight, label or sample"),
        (lambda scores, events: scores * (events.label == 1), "weight, label or sample"),
    ],
)
def test_a_wrong_one_is_told(
    change: Callable[[Scores, Events], Scores], rule: str, toys: Events
) -> None:
    with pytest.raises(ConformanceError, match=rule):
        check_method(Method(change), toys)


def test_a_random_one_is_told(toys: Events) -> None:
    random = np.random.default_rng(1)
    with pytest.raises(ConformanceError, match="the same events get one answer"):
        check_method(Method(lambda scores, _: scores * random.random()), toys)


def test_one_that_changes_its_events_is_told(toys: Events) -> None:
    own = toys.take(np.arange(len(toys)))

    def change(scores: Scores, events: Events) -> Scores:
        events.weight[:1] += 1
        return scores

    with pytest.raises(ConformanceError, match=r"events\.weight is not changed"):
        check_method(Method(change), own)


def test_one_that_scores_what_it_has_seen_is_told(toys: Events) -> None:
    with pytest.raises(ConformanceError, match="trained on are refused"):
        check_method(Method(lambda scores, _: scores), toys, seen=toys)


def test_one_event_does_not_tell(toys: Events) -> None:
    with pytest.raises(ValueError, match="two or more"):
        check_method(Method(lambda scores, _: scores), toys.take(slice(0, 1)))
