import numpy as np
import pytest

from rootflow.errors import InputError
from rootflow.methods.model import decode


def test_most_probable_pair_of_existing_different_jets() -> None:
    probability = np.zeros((1, 4, 4), np.float32)
    probability[0, 1, 1] = 0.5  # one jet twice
    probability[0, 0, 3] = 0.3  # a jet that does not exist
    probability[0, 2, 0] = 0.15
    probability[0, 0, 1] = 0.05
    neutrinos = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    outputs = {"assignment": probability, "neutrinos": neutrinos}
    answer = decode(outputs, np.array([[True, True, True, False]]))
    assert answer.assignment.tolist() == [[2, 0]]
    assert answer.scores == pytest.approx([0.15])
    assert answer.solved.tolist() == [True]
    np.testing.assert_array_equal(answer.neutrinos, neutrinos)


def test_agrees_with_a_search_of_each_event() -> None:
    random = np.random.default_rng(1)
    probability = random.random((200, 5, 5)).astype(np.float32)
    mask = np.arange(5) < random.integers(2, 6, (200, 1))
    answer = decode(
        {"assignment": probability, "neutrinos": np.zeros((200, 2, 3), np.float32)}, mask
    )
    for event in range(200):
        jets = np.flatnonzero(mask[event])
        pairs = [(first, second) for first in jets for second in jets if first != second]
        best = max(pairs, key=lambda pair: probability[event][pair])
        assert tuple(answer.assignment[event]) == best
        assert answer.scores[event] == probability[event][best]


def test_an_event_with_one_jet_is_not_solved() -> None:
    outputs = {
        "assignment": np.full((1, 2, 2), 0.25, np.float32),
        "neutrinos": np.ones((1, 2, 3), np.float32),
    }
    answer = decode(outputs, np.array([[True, False]]))
    assert answer.assignment.tolist() == [[-1, -1]]
    assert np.all(np.isnan(answer.neutrinos))
    assert np.isnan(answer.scores)


def test_a_confidence_is_the_score() -> None:
    outputs = {
        "assignment": np.full((1, 2, 2), 0.25, np.float32),
        "neutrinos": np.ones((1, 2, 3), np.float32),
        "confidence": np.array([0.7], np.float32),
    }
    assert decode(outputs, np.ones((1, 2), bool)).scores == pytest.approx([0.7])


@pytest.mark.parametrize("broken", ["assignment", "neutrinos"])
def test_output_that_is_not_finite_is_refused(broken: str) -> None:
    outputs = {
        "assignment": np.full((3, 2, 2), 0.25, np.float32),
        "neutrinos": np.ones((3, 2, 3), np.float32),
    }
    outputs[broken][1, 0, 1] = np.nan
    with pytest.raises(InputError, match="not finite in 1 of 3 events"):
        decode(outputs, np.ones((3, 2), bool))
