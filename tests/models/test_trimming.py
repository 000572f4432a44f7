import keras
import numpy as np
import pytest

from rootflow.config.model import ModelConfig
from rootflow.dataset import Events
from rootflow.models.architectures import build_model
from rootflow.models.networks import ANY_NUMBER_OF_JETS
from rootflow.models.normalisation import Normalisation
from rootflow.models.objective import Trimming, event_targets, with_losses
from small_architectures import small_architectures

TRIMMED = {
    name: config
    for name, config in small_architectures().items()
    if config.architecture in ANY_NUMBER_OF_JETS
}
OF_JETS = ["cross_entropy", "focal", "exclusivity", "confidence"]
OF_NEUTRINOS = {
    "direct": ["huber", "rest_frame", "top_mass"],
    "binned": ["bins", "mse"],
    "flow": ["density"],
}


@pytest.mark.parametrize("config", TRIMMED.values(), ids=TRIMMED)
def test_events_without_their_padding_are_told_the_same(
    config: ModelConfig, few_events: Events, normalisation: Normalisation
) -> None:
    keras.utils.set_random_seed(12)
    network = build_model(config, few_events.features, 8, normalisation)
    events = few_events.take(few_events.jet_mask.sum(axis=1) <= 3)
    losses = OF_JETS + OF_NEUTRINOS[config.neutrinos.head]
    fitted = with_losses(network, losses)
    everything = keras.Model(fitted.input, {**fitted.output, **network.output})
    inputs = _with_truth(events, losses)
    padded, trimmed = everything(inputs), Trimming(everything)(_trimmed(inputs, 3))
    assert trimmed["assignment"].shape == (len(events), 3, 3)
    np.testing.assert_allclose(trimmed["assignment"], padded["assignment"][:, :3, :3], atol=1e-5)
    np.testing.assert_allclose(trimmed["neutrinos"], padded["neutrinos"], rtol=1e-3, atol=1e-2)
    np.testing.assert_allclose(trimmed["confidence"], padded["confidence"], atol=1e-5)
    for name in losses:
        np.testing.assert_allclose(trimmed[name], padded[name], rtol=1e-3, atol=1e-4, err_msg=name)


def _with_truth(events: Events, losses: list[str]) -> dict[str, np.ndarray]:
    truth, _ = event_targets(events.targets(), losses)
    return events.inputs() | truth


def _trimmed(inputs: dict[str, np.ndarray], jets: int) -> dict[str, np.ndarray]:
    return inputs | {name: inputs[name][:, :jets] for name in ("jets", "jet_mask")}


def test_it_has_the_networks_weights_and_no_others(
    set_architecture: ModelConfig, few_events: Events, normalisation: Normalisation
) -> None:
    network = build_model(set_architecture, few_events.features, 8, normalisation)
    trimming = Trimming(with_losses(network, ["cross_entropy", "huber"]))
    for jets in (3, 5):
        trimming(_trimmed(_with_truth(few_events.take(slice(0, 2)), []), jets))
    ours = [id(variable) for variable in trimming.variables]
    assert sorted(ours) == sorted(id(variable) for variable in network.variables)
