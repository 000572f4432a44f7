import keras
import numpy as np
import pytest

from rootflow.models import AssignmentAccuracy, AssignmentLoss, NeutrinoLoss

PROBABILITY = np.array(
    [[[0.0, 0.4, 0.1], [0.2, 0.0, 0.05], [0.15, 0.1, 0.0]]] * 4, dtype=np.float32
)
SLOTS = np.array([[0, 1], [2, -1], [-1, 0], [-1, -1]], dtype=np.int32)


def test_the_assignment_loss_sums_over_the_jet_that_is_not_known() -> None:
    loss = AssignmentLoss(reduction=None)(SLOTS, PROBABILITY)
    np.testing.assert_allclose(loss, [-np.log(0.4), -np.log(0.25), -np.log(0.35), 0], rtol=1e-5)


def test_the_assignment_loss_of_an_impossible_truth_is_finite_and_so_is_its_slope() -> None:
    import tensorflow as tf

    scores = tf.Variable(np.zeros((1, 3, 3), np.float32))
    with tf.GradientTape() as tape:
        loss = AssignmentLoss()(np.array([[0, 0]], np.int32), scores * 0.0)
    assert np.isfinite(float(loss))
    assert np.all(np.isfinite(tape.gradient(loss, scores)))


def test_the_neutrino_loss_is_that_of_huber_in_units_of_the_scales() -> None:
    random = np.random.default_rng(5)
    truth, said = random.normal(scale=60, size=(2, 50, 2, 3)).astype(np.float32)
    scales = np.array([20.0, 20.0, 80.0], dtype=np.float32)
    expected = keras.losses.Huber()(truth / scales, said / scales)
    np.testing.assert_allclose(NeutrinoLoss((20.0, 80.0))(truth, said), expected, rtol=1e-5)


def test_accuracy_counts_events_with_both_jets_known() -> None:
    metric = AssignmentAccuracy()
    metric.update_state(np.array([[0, 1], [1, 0], [2, -1], [-1, -1]], np.int32), PROBABILITY)
    assert float(metric.result()) == 0.5


@pytest.mark.parametrize(
    "make",
    [AssignmentLoss, AssignmentAccuracy, lambda: NeutrinoLoss((20.0, 80.0))],
    ids=["assignment", "accuracy", "neutrinos"],
)
def test_a_weight_of_two_is_the_event_twice_and_one_of_zero_is_no_event(make: object) -> None:
    random = np.random.default_rng(6)
    slots = np.array([[0, 1], [1, 0], [2, 0], [0, 2]], dtype=np.int32)
    momenta = random.normal(scale=50, size=(2, 4, 2, 3)).astype(np.float32)
    truth, said = momenta if isinstance(make(), NeutrinoLoss) else (slots, PROBABILITY)
    weight = np.array([2, 1, 0, 1], dtype=np.float32)
    repeated = np.repeat(np.arange(4), weight.astype(int))

    weighted = make()(truth, said, sample_weight=weight)
    np.testing.assert_allclose(weighted, make()(truth[repeated], said[repeated]), rtol=1e-6)
    assert not np.isclose(weighted, make()(truth, said), rtol=1e-3)
