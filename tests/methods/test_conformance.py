from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from rootflow.dataset import Events
from rootflow.errors import ConformanceError
from rootflow.methods.conformance import check_method, with_two_jets
from rootflow.methods.contract import Reconstruction
from rootflow.methods.make import make_method
from rootflow.ntuple.columns import structured
from toy_events import toy_events


class Broken:
    """The m(lb) method with something done to its answers."""

    name = "broken"

    def __init__(self, spoil: Callable[[Reconstruction, Events], Reconstruction]) -> None:
        self._spoil = spoil

    def answer(self, events: Events) -> Reconstruction:
        return self._spoil(make_method("m_lb", 1).answer(events), events)


def wrong_type(answers: Reconstruction, _: Events) -> Reconstruction:
    return answers._replace(assignment=answers.assignment.astype(np.int64))


def wrong_shape(answers: Reconstruction, _: Events) -> Reconstruction:
    return answers._replace(scores=answers.scores[:, np.newaxis])


def no_such_slot(answers: Reconstruction, _: Events) -> Reconstruction:
    return answers._replace(assignment=answers.assignment + np.int32(50))


def no_such_jet(answers: Reconstruction, events: Events) -> Reconstruction:
    last = np.full_like(answers.assignment, events.jet_mask.shape[1] - 1)
    return answers._replace(assignment=last)


def same_jet(answers: Reconstruction, _: Events) -> Reconstruction:
    return answers._replace(assignment=answers.assignment[:, [0, 0]])


def answer_to_unsolved(answers: Reconstruction, _: Events) -> Reconstruction:
    return answers._replace(solved=np.zeros_like(answers.solved))


def score_of_unsolved(answers: Reconstruction, _: Events) -> Reconstruction:
    return answers._replace(
        assignment=np.full_like(answers.assignment, -1), solved=np.zeros_like(answers.solved)
    )


def nan_in_solved(answers: Reconstruction, _: Events) -> Reconstruction:
    neutrinos = np.zeros((len(answers.solved), 2, 3), np.float32)
    neutrinos[:1, 1, 2] = np.nan
    return answers._replace(neutrinos=neutrinos)


def place_in_the_sample(answers: Reconstruction, _: Events) -> Reconstruction:
    return answers._replace(scores=np.arange(len(answers.scores), dtype=np.float32))


def mean_of_the_sample(answers: Reconstruction, events: Events) -> Reconstruction:
    mean = np.float32(events.met[:, 0].mean() if len(events) else 0)
    return answers._replace(scores=np.full_like(answers.scores, mean))


def changes_its_input(answers: Reconstruction, events: Events) -> Reconstruction:
    events.jets[:] = events.jets * np.float32(1000)
    return answers


class Forgetful(Broken):
    """Each call gives other scores."""

    def __init__(self) -> None:
        self._calls = 0

    def answer(self, events: Events) -> Reconstruction:
        self._calls += 1
        answers = make_method("m_lb", 1).answer(events)
        return answers._replace(scores=answers.scores + np.float32(self._calls))


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (wrong_type, "assignment: int32, not int64"),
        (wrong_shape, r"scores: of the shape \(300,\), not \(300, 1\)"),
        (no_such_slot, "is two slots"),
        (no_such_jet, "of jets that exist"),
        (same_jet, "different jets"),
        (answer_to_unsolved, "not solved is -1, -1"),
        (score_of_unsolved, "scores of an unsolved event are NaN"),
        (nan_in_solved, "neutrinos of a solved event are finite"),
        (place_in_the_sample, "does not depend on the order"),
        (mean_of_the_sample, "does not depend on the other events"),
        (changes_its_input, r"events\.jets is not changed"),
    ],
)
def test_what_breaks_the_contract_is_named(
    spoil: Callable[[Reconstruction, Events], Reconstruction], rule: str
) -> None:
    with pytest.raises(ConformanceError, match=rule):
        check_method(Broken(spoil), toy_events(300))


def test_another_answer_to_the_same_events() -> None:
    with pytest.raises(ConformanceError, match="the same events get one answer"):
        check_method(Forgetful(), toy_events(300))


def test_a_nameless_method() -> None:
    nameless = Broken(lambda answers, _: answers)
    nameless.name = ""
    with pytest.raises(ConformanceError, match="its name is a string"):
        check_method(nameless, toy_events(300))


def test_what_keeps_the_contract_passes() -> None:
    check_method(Broken(lambda answers, _: answers), toy_events(300))


def test_events_of_several_runs() -> None:
    events = replace(toy_events(300), identity=structured({"run": np.arange(300) // 7}))
    check_method(Broken(lambda answers, _: answers), events)


def test_with_two_jets() -> None:
    events = with_two_jets(toy_events(300))
    assert np.all(events.jet_mask.sum(axis=1) == 2)
    assert np.all(events.jets[:, 2:] == 0)
    assert events.assignment.max() == 1
