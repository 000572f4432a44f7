import numpy as np
import pytest

from rootflow.models.losses import LOSSES, AssignmentAccuracy, Loss
from rootflow.models.objective import PER_EVENT

PROBABILITY = np.array(
    [[[0.0, 0.4, 0.1], [0.2, 0.0, 0.05], [0.15, 0.1, 0.0]]] * 4, dtype=np.float32
)
SLOTS = np.array([[0, 1], [2, -1], [-1, 0], [-1, -1]], dtype=np.int32)


def test_the_assignment_loss_sums_over_the_jet_that_is_not_known() -> None:
    loss = LOSSES["cross_entropy"](SLOTS, PROBABILITY)
    np.testing.assert_allclose(loss, [-np.log(0.4), -np.log(0.25), -np.log(0.35), 0], rtol=1e-5)


def test_the_assignment_loss_of_an_impossible_truth_is_finite_and_so_is_its_slope() -> None:
    import tensorflow as tf

    scores = tf.Variable(np.zeros((1, 3, 3), np.float32))
    with tf.GradientTape() as tape:
        loss = LOSSES["cross_entropy"](np.array([[0, 0]], np.int32), scores * 0.0)[0]
    assert np.isfinite(float(loss))
    assert np.all(np.isfinite(tape.gradient(loss, scores)))


def test_the_focal_loss_counts_what_is_known_already_little() -> None:
    loss = LOSSES["focal"](SLOTS, PROBABILITY)
    known = np.array([0.4, 0.25, 0.35, 1.0])
    np.testing.assert_allclose(loss, -((1 - known) ** 2) * np.log(known), rtol=1e-5, atol=1e-7)


def test_the_penalty_is_that_the_same_jet_is_both() -> None:
    loss = LOSSES["exclusivity"](SLOTS, PROBABILITY)
    b, bbar = PROBABILITY[0].sum(axis=1), PROBABILITY[0].sum(axis=0)
    np.testing.assert_allclose(loss, np.full(4, np.sum(b * bbar)), rtol=1e-5)


def test_accuracy_counts_events_with_both_jets_known() -> None:
    metric = AssignmentAccuracy()
    metric.update_state(np.array([[0, 1], [1, 0], [2, -1], [-1, -1]], np.int32), PROBABILITY)
    assert float(metric.result()) == 0.5


@pytest.mark.parametrize("loss", [LOSSES["cross_entropy"], LOSSES["focal"], None])
def test_a_weight_of_two_is_the_event_twice_and_one_of_zero_is_no_event(loss: Loss | None) -> None:
    def mean(truth: np.ndarray, said: np.ndarray, weight: np.ndarray | None = None) -> float:
        if loss is None:
            return float(AssignmentAccuracy()(truth, said, sample_weight=weight))
        return float(PER_EVENT(truth, loss(truth, said), sample_weight=weight))

    slots = np.array([[0, 1], [1, 0], [2, 0], [0, 2]], dtype=np.int32)
    weight = np.array([2, 1, 0, 1], dtype=np.float32)
    repeated = np.repeat(np.arange(4), weight.astype(int))

    weighted = mean(slots, PROBABILITY, weight)
    once = mean(slots[repeated], PROBABILITY[repeated])
    # Keras divides a loss by the number of events, and a metric by their weight.
    np.testing.assert_allclose(weighted, once, rtol=1e-6)
    assert not np.isclose(weighted, mean(slots, PROBABILITY), rtol=1e-3)
