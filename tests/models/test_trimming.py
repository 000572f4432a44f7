import keras
import numpy as np

from rootflow.config import ModelConfig, RecurrentConfig
from rootflow.dataset import Events
from rootflow.models import Normalisation, Trimming, build_model, training_network


def test_events_without_their_padding_are_told_the_same(
    set_architecture: ModelConfig, few_events: Events, normalisation: Normalisation
) -> None:
    _same_without_padding(set_architecture, few_events, normalisation)


def test_so_are_those_of_the_recurrent_network(
    few_events: Events, normalisation: Normalisation
) -> None:
    config = RecurrentConfig(architecture="recurrent", width=16, no_match=True)
    _same_without_padding(config, few_events, normalisation)


def _same_without_padding(
    config: ModelConfig, events: Events, normalisation: Normalisation
) -> None:
    keras.utils.set_random_seed(12)
    network = build_model(config, events.features, 8, normalisation)
    trimming = Trimming(network)
    few_jets = events.take(events.jet_mask.sum(axis=1) <= 3)
    inputs = few_jets.inputs()
    short = inputs | {name: inputs[name][:, :3] for name in ("jets", "jet_mask")}
    padded, trimmed = network(inputs), trimming(short)
    assert trimmed["assignment"].shape == (len(few_jets), 3, 3)
    np.testing.assert_allclose(trimmed["assignment"], padded["assignment"][:, :3, :3], atol=1e-5)
    np.testing.assert_allclose(trimmed["neutrinos"], padded["neutrinos"], rtol=1e-3, atol=1e-2)


def test_it_has_the_networks_weights_and_no_others(
    set_architecture: ModelConfig, few_events: Events, normalisation: Normalisation
) -> None:
    network = build_model(set_architecture, few_events.features, 8, normalisation)
    trimming = Trimming(training_network(network))
    for jets in (3, 5):
        inputs = few_events.take(slice(0, 2)).inputs()
        trimming(inputs | {name: inputs[name][:, :jets] for name in ("jets", "jet_mask")})
    ours = [id(variable) for variable in trimming.variables]
    assert sorted(ours) == sorted(id(variable) for variable in network.variables)
