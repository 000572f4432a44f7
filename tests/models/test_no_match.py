from dataclasses import replace

import keras
import numpy as np
import pytest
from scipy.special import log_softmax
from sklearn.metrics import roc_auc_score

from rootflow.config.model import ModelConfig
from rootflow.dataset import Events
from rootflow.models.architectures import JOINT, build_model
from rootflow.models.layers import JointProbability
from rootflow.models.losses import LOSSES_WITH_NONE, MatchedAUC
from rootflow.models.normalisation import Normalisation
from symmetries import exchange_charges

RANDOM = np.random.default_rng(14)
SLOTS = np.array([[0, 1], [1, -1], [-1, 2], [-1, -1]], np.int32)
SCORES = RANDOM.normal(scale=3, size=(4, 4, 4)).astype(np.float32)
MASK = np.ones((4, 3), bool)


@pytest.fixture
def probability() -> np.ndarray:
    return np.asarray(JointProbability()(SCORES, MASK))


def test_none_is_a_choice_for_each_and_for_both(probability: np.ndarray) -> None:
    allowed = ~np.eye(4, dtype=bool)
    allowed[3, 3] = True
    np.testing.assert_allclose(probability.sum(axis=(1, 2)), 1, rtol=1e-5)
    assert np.all(probability[:, allowed] > 0)
    assert np.all(probability[:, ~allowed] == 0)


def test_the_loss_is_the_cross_entropy_of_what_is_true(probability: np.ndarray) -> None:
    flat = np.where(~np.eye(4, dtype=bool) | (np.arange(4) == 3), SCORES, -np.inf).reshape(4, 16)
    place = [0 * 4 + 1, 1 * 4 + 3, 3 * 4 + 2, 3 * 4 + 3]
    expected = -log_softmax(flat, axis=1)[np.arange(4), place]
    loss = LOSSES_WITH_NONE["cross_entropy"](SLOTS, probability)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_a_focal_loss_counts_little_what_is_known(probability: np.ndarray) -> None:
    entropy = np.asarray(LOSSES_WITH_NONE["cross_entropy"](SLOTS, probability))
    expected = (1 - np.exp(-entropy)) ** 2 * entropy
    np.testing.assert_allclose(LOSSES_WITH_NONE["focal"](SLOTS, probability), expected, rtol=1e-5)


def test_only_a_jet_that_is_taken_twice_costs_exclusivity(probability: np.ndarray) -> None:
    of_b, of_bbar = probability.sum(axis=2)[:, :3], probability.sum(axis=1)[:, :3]
    penalty = LOSSES_WITH_NONE["exclusivity"](SLOTS, probability)
    np.testing.assert_allclose(penalty, np.einsum("nj,nj->n", of_b, of_bbar), rtol=1e-5)
    neither = np.zeros((1, 4, 4), np.float32)
    neither[0, 3, 3] = 1
    assert float(LOSSES_WITH_NONE["exclusivity"](SLOTS[:1], neither)[0]) == 0


def test_the_area_is_that_of_the_probability_of_any_pair() -> None:
    scores = RANDOM.normal(scale=2, size=(2000, 4, 4)).astype(np.float32)
    joint = np.asarray(JointProbability()(scores, np.ones((2000, 3), bool)))
    matched = RANDOM.uniform(size=2000) < joint[:, :3, :3].sum(axis=(1, 2))
    weight = RANDOM.uniform(0.5, 2, 2000).astype(np.float32)
    slots = np.where(matched[:, None], np.array([0, 1]), np.array([0, -1])).astype(np.int32)
    metric = MatchedAUC(500)
    metric.update_state(slots, joint[:, :3, :3], weight)
    expected = roc_auc_score(matched, joint[:, :3, :3].sum(axis=(1, 2)), sample_weight=weight)
    assert float(metric.result()) == pytest.approx(expected, abs=2e-3)


@pytest.fixture
def model(
    architecture: ModelConfig, few_events: Events, normalisation: Normalisation
) -> keras.Model:
    keras.utils.set_random_seed(7)
    config = architecture.model_copy(update={"no_match": True})
    return build_model(config, few_events.features, 8, normalisation)


def joint_of(model: keras.Model, events: Events) -> np.ndarray:
    return np.asarray(keras.Model(model.input, model.get_layer(JOINT).output)(events.inputs()))


def test_a_network_says_how_likely_a_pair_is_at_all(model: keras.Model, few_events: Events) -> None:
    pairs = np.asarray(model(few_events.inputs())["assignment"])
    joint = joint_of(model, few_events)
    assert pairs.shape == (300, 8, 8)
    np.testing.assert_array_equal(joint[:, :8, :8], pairs)
    np.testing.assert_allclose(joint.sum(axis=(1, 2)), 1, rtol=1e-5)
    assert np.all(pairs.sum(axis=(1, 2)) < 1)


def test_none_changes_places_with_the_leptons(model: keras.Model, few_events: Events) -> None:
    before, after = joint_of(model, few_events), joint_of(model, exchange_charges(few_events))
    np.testing.assert_allclose(after, before.swapaxes(1, 2), atol=2e-3)


def test_what_is_in_the_padding_does_not_matter_to_none(
    model: keras.Model, few_events: Events
) -> None:
    rubbish = np.where(few_events.jet_mask[..., None], few_events.jets, np.nan)
    after = joint_of(model, replace(few_events, jets=rubbish))
    np.testing.assert_array_equal(after, joint_of(model, few_events))
