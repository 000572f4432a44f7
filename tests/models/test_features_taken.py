"""Networks of chosen features, and of features that change their signs."""

from typing import Any

import keras
import numpy as np
import pytest

from rootflow.config.model import (
    CrossAttentionConfig,
    FeedForwardConfig,
    ModelConfig,
    RecurrentConfig,
    SetTransformerConfig,
)
from rootflow.dataset import Events
from rootflow.errors import UsageError
from rootflow.models.architectures import build_model, features_taken
from rootflow.models.normalisation import fit_normalisation
from symmetries import exchange_charges, momenta_after, reflect_y, reflect_z, turn

MOMENTUM = ["pt", "eta", "phi", "energy"]
SIGNS = {"jets": {"charge": ["charge"], "d0": ["phi"]}, "event": {"asymmetry": ["eta", "charge"]}}
SMALL: dict[str, ModelConfig] = {
    "feed_forward": FeedForwardConfig(architecture="feed_forward", width=16, depth=1),
    "set_transformer": SetTransformerConfig(architecture="set_transformer", width=8, depth=1),
    "cross_attention": CrossAttentionConfig(architecture="cross_attention", width=8, depth=1),
    "recurrent": RecurrentConfig(architecture="recurrent", width=8, depth=1),
}


def with_signed_features(events: Events) -> Events:
    """Return the events with a jet charge that knows the b quark's, and others."""
    random = np.random.default_rng(3)
    charge, d0 = random.normal(size=(2, *events.jet_mask.shape)).astype(np.float32)
    assert events.assignment is not None
    for quark, mean in enumerate((-0.6, 0.6)):
        there = events.assignment[:, quark] >= 0
        charge[there, events.assignment[there, quark]] += mean
    added = np.stack([charge, d0], axis=-1) * events.jet_mask[..., None]
    return events.replace(
        features={
            **events.features,
            "jets": (*events.features["jets"], "charge", "d0"),
            "event": ("asymmetry",),
        },
        jets=np.concatenate([events.jets, added], axis=-1),
        event=random.normal(size=(len(events), 1)).astype(np.float32),
    )


def opposite(events: Events, **names: list[str]) -> Events:
    """Return the events with the opposite of some features."""
    arrays = {collection: getattr(events, collection).copy() for collection in names}
    for collection, features in names.items():
        for name in features:
            arrays[collection][..., events.features[collection].index(name)] *= -1
    return events.replace(**arrays)


def network_of(config: ModelConfig, events: Events, signs: Any = None) -> keras.Model:
    keras.utils.set_random_seed(7)
    normalisation = fit_normalisation([(events, np.ones(len(events)))], signs)
    return build_model(config, events.features, 8, normalisation, signs)


@pytest.mark.parametrize("config", SMALL.values(), ids=SMALL)
def test_networks_do_without_btags_flavours_and_met(
    config: ModelConfig, few_events: Events
) -> None:
    inputs = {"jets": MOMENTUM, "leptons": MOMENTUM}
    taken = features_taken(inputs, few_events.features)
    assert taken == {"jets": tuple(MOMENTUM), "leptons": tuple(MOMENTUM), "met": (), "event": ()}
    events = few_events.taking(taken)
    network = network_of(config, events)
    assert list(network.input) == ["jets", "jet_mask", "leptons"]
    said = network(events.inputs(), training=False)
    np.testing.assert_allclose(np.sum(said["assignment"], axis=(1, 2)), 1, rtol=1e-5)


def test_inputs_are_taken_in_the_order_of_the_dataset(few_events: Events) -> None:
    inputs = {"jets": ["btag", *MOMENTUM[::-1]], "leptons": MOMENTUM, "met": ["phi", "pt"]}
    taken = features_taken(inputs, few_events.features)
    assert (taken["jets"], taken["met"]) == (few_events.features["jets"], ("pt", "phi"))
    assert features_taken(None, few_events.features) == few_events.features


@pytest.mark.parametrize(
    ("inputs", "fault"),
    [
        ({"jets": ["pt", "eta", "btag"], "leptons": MOMENTUM}, "jets: phi, energy must be among"),
        ({"jets": MOMENTUM}, "leptons: pt, eta, phi, energy must be among"),
        ({"jets": MOMENTUM, "leptons": MOMENTUM, "met": ["phi"]}, "pt, phi; or leave met out"),
        ({"jets": [*MOMENTUM, "btags"], "leptons": MOMENTUM}, "jets: the dataset has no 'btags'"),
    ],
)
def test_inputs_of_which_no_views_can_be_made_are_refused(
    inputs: dict[str, list[str]], fault: str, few_events: Events
) -> None:
    with pytest.raises(UsageError, match=f"^inputs.*{fault}"):
        features_taken(inputs, few_events.features)


@pytest.mark.parametrize(
    ("change", "signed"),
    [
        (turn, {}),
        (reflect_y, {"jets": ["d0"]}),
        (reflect_z, {"event": ["asymmetry"]}),
        (exchange_charges, {"jets": ["charge"], "event": ["asymmetry"]}),
    ],
)
def test_symmetries_are_exact_with_features_that_change_their_signs(
    change: Any, signed: dict[str, list[str]], few_events: Events
) -> None:
    events = with_signed_features(few_events)
    network = network_of(SMALL["set_transformer"], events, SIGNS)
    before = network(events.inputs(), training=False)
    after = network(opposite(change(events), **signed).inputs(), training=False)
    assignment, neutrinos = (np.asarray(before[name]) for name in ("assignment", "neutrinos"))
    if change is exchange_charges:
        assignment, neutrinos = assignment.swapaxes(1, 2), neutrinos[:, ::-1]
    np.testing.assert_allclose(after["assignment"], assignment, atol=2e-3)
    np.testing.assert_allclose(after["neutrinos"], momenta_after(change, neutrinos), atol=0.2)


def test_a_jet_charge_counts_once_its_sign_is_said(real_events: Events) -> None:
    events = with_signed_features(real_events)
    events = events.take(events.matched)
    events = events.take(slice(0, 3000))

    def told_apart(signs: Any) -> float:
        """Return how often b and bbar are not exchanged by a network that is trained so."""
        network = network_of(SMALL["feed_forward"], events, signs)
        assignment = keras.Model(network.input, network.output["assignment"])
        assignment.compile("adam", lambda true, said: -keras.ops.log(_at(true, said) + 1e-6))
        assignment.fit(events.inputs(), events.assignment, 128, epochs=4, verbose=0)
        said = assignment.predict(events.inputs(), 1000, verbose=0)
        b, bbar = events.assignment.T
        rows = np.arange(len(events))
        return float(np.mean(said[rows, b, bbar] > said[rows, bbar, b]))

    assert told_apart(SIGNS) > told_apart(None) + 0.03


def _at(pair: Any, assignment: Any) -> Any:
    both = [keras.ops.one_hot(pair[:, quark], 8) for quark in (0, 1)]
    return keras.ops.einsum("nij,ni,nj->n", assignment, *both)
