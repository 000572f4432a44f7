from collections.abc import Mapping

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from rootflow.config.model import FeedForwardConfig
from rootflow.dataset import Events
from rootflow.models.architectures import JOINT, build_model
from rootflow.models.normalisation import Normalisation
from rootflow.models.objective import (
    PER_EVENT,
    confidence_loss,
    event_targets,
    truth_of,
    with_losses,
)

LOSSES = ("cross_entropy", "focal", "exclusivity", "huber", "w_mass", "top_mass", "confidence")


@pytest.fixture(scope="module")
def network(few_events: Events, normalisation: Normalisation) -> keras.Model:
    keras.utils.set_random_seed(4)
    config = FeedForwardConfig(architecture="feed_forward", width=16, depth=1, confidence=True)
    return build_model(config, few_events.features, 8, normalisation)


def losses_of(network: keras.Model, events: Events) -> Mapping[str, NDArray[np.float32]]:
    truth, _ = event_targets(events.targets(), LOSSES)
    said = with_losses(network, LOSSES)(events.inputs() | truth)
    return {name: np.asarray(said[name]) for name in LOSSES}


def test_every_loss_is_one_number_for_each_event(network: keras.Model, few_events: Events) -> None:
    for values in losses_of(network, few_events).values():
        assert values.shape == (len(few_events),)
        assert np.all(np.isfinite(values))
        assert np.all(values >= 0)


def test_the_losses_are_those_of_what_the_network_says(
    network: keras.Model, few_events: Events
) -> None:
    said = {name: np.asarray(array) for name, array in network(few_events.inputs()).items()}
    values, matched = losses_of(network, few_events), few_events.matched
    slots = few_events.assignment
    joint = said["assignment"]
    probability = joint[np.arange(len(joint)), slots[:, 0], slots[:, 1]]
    probability = probability[matched]
    entropy = -np.log(probability)
    np.testing.assert_allclose(values["cross_entropy"][matched], entropy, rtol=1e-4)
    focal = (1 - probability) ** 2 * entropy
    np.testing.assert_allclose(values["focal"][matched], focal, rtol=1e-3)
    both = np.einsum("nij,nki->n", joint, joint)
    np.testing.assert_allclose(values["exclusivity"], both, rtol=1e-4)
    right = np.all(np.stack(np.divmod(joint.reshape(len(joint), -1).argmax(1), 8), 1) == slots, 1)
    sure = np.where(right, said["confidence"], 1 - said["confidence"])
    np.testing.assert_allclose(values["confidence"], np.where(matched, -np.log(sure), 0), rtol=1e-4)


def test_with_none_the_losses_are_of_what_is_true(
    few_events: Events, normalisation: Normalisation
) -> None:
    keras.utils.set_random_seed(4)
    config = FeedForwardConfig(
        architecture="feed_forward", width=16, depth=1, confidence=True, no_match=True
    )
    network = build_model(config, few_events.features, 8, normalisation)
    joint_of = keras.Model(network.input, network.get_layer(JOINT).output)
    joint = np.asarray(joint_of(few_events.inputs()))
    values, slots = losses_of(network, few_events), few_events.assignment
    chosen = np.where(slots < 0, 8, slots)
    probability = joint[np.arange(len(joint)), chosen[:, 0], chosen[:, 1]]
    np.testing.assert_allclose(values["cross_entropy"], -np.log(probability), rtol=1e-4)
    focal = -((1 - probability) ** 2) * np.log(probability)
    np.testing.assert_allclose(values["focal"], focal, rtol=1e-3)
    both = joint.sum(axis=2)[:, :8] * joint.sum(axis=1)[:, :8]
    np.testing.assert_allclose(values["exclusivity"], both.sum(axis=1), rtol=1e-4)
    assert np.all(values["confidence"][~few_events.matched] == 0)
    assert np.all(values["confidence"][few_events.matched] > 0)


def test_weights_count_in_every_loss(network: keras.Model, few_events: Events) -> None:
    values = losses_of(network, few_events)
    weight = np.random.default_rng(1).uniform(0, 2, len(few_events))
    model = with_losses(network, LOSSES)
    model.compile(
        loss=dict.fromkeys(LOSSES, PER_EVENT),
        loss_weights=dict.fromkeys(LOSSES, 0.5),
    )
    truth, targets = event_targets(few_events.targets(), LOSSES)
    said = model.evaluate(
        few_events.inputs() | truth,
        {name: targets[name] for name in LOSSES},
        sample_weight=weight,
        batch_size=len(few_events),
        verbose=0,
        return_dict=True,
    )
    total = sum(np.mean(weight * values[name]) for name in LOSSES)
    assert said["loss"] == pytest.approx(0.5 * total, rel=1e-4)


def test_the_confidence_of_an_event_that_is_not_known_costs_nothing() -> None:
    slots = np.array([[0, 1], [0, 1], [2, -1]], np.int32)
    joint = np.zeros((3, 3, 3), np.float32)
    joint[[0, 1, 2], [0, 1, 2], [1, 0, 1]] = 1
    confidence = np.array([0.8, 0.6, 0.9], np.float32)
    loss = confidence_loss(slots, joint, confidence)
    np.testing.assert_allclose(loss, [-np.log(0.8), -np.log(0.4), 0], rtol=1e-5)


def test_the_true_jets_are_those_of_the_slots() -> None:
    jets = np.random.default_rng(2).uniform(1, 2, (2, 3, 4)).astype(np.float32)
    seen = {"jets": jets, "leptons": np.ones((2, 2, 4), np.float32)}
    slots = np.array([[2, 0], [-1, 1]], np.int32)
    truth = truth_of(slots, np.zeros((2, 2, 3), np.float32), seen, (50.0, 50.0, 100.0))
    expected = np.stack([jets[0, [2, 0]], np.stack([np.zeros(4), jets[1, 1]])])
    np.testing.assert_allclose(truth.b_jets, expected)
    np.testing.assert_array_equal(truth.known, [[1, 1], [0, 1]])
    np.testing.assert_allclose(truth.visible, 2 + jets.sum(axis=1), rtol=1e-6)
