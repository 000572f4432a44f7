from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from rootflow.config.model import FeedForwardConfig, ModelConfig
from rootflow.dataset import Events
from rootflow.errors import InputError
from rootflow.models.architectures import build_model
from rootflow.models.normalisation import Normalisation, fit_normalisation
from rootflow.models.saving import load_model, save_model
from symmetries import exchange_charges, momenta_after, reflect_y, reflect_z, turn

Said = dict[str, np.ndarray]


def say(model: keras.Model, events: Events) -> Said:
    said = model(events.inputs(), training=False)
    return {name: keras.ops.convert_to_numpy(array) for name, array in said.items()}


def assert_close(after: Said, before: Said) -> None:
    np.testing.assert_allclose(after["assignment"], before["assignment"], atol=2e-3)
    np.testing.assert_allclose(after["neutrinos"], before["neutrinos"], atol=0.2)


@pytest.fixture
def model(
    architecture: ModelConfig, few_events: Events, normalisation: Normalisation
) -> keras.Model:
    keras.utils.set_random_seed(7)
    return build_model(architecture, few_events.features, 8, normalisation)


def test_the_assignment_is_a_joint_probability_of_two_different_jets(
    model: keras.Model, few_events: Events
) -> None:
    said = say(model, few_events)
    mask = few_events.jet_mask
    allowed = mask[:, :, None] & mask[:, None, :] & ~np.eye(8, dtype=bool)
    assert np.all(said["assignment"][~allowed] == 0)
    assert np.all(said["assignment"][allowed] > 0)
    np.testing.assert_allclose(said["assignment"].sum(axis=(1, 2)), 1, rtol=1e-5)
    assert said["neutrinos"].shape == (300, 2, 3)
    assert said["neutrinos"].dtype == np.float32


def test_what_is_in_the_padding_does_not_matter(model: keras.Model, few_events: Events) -> None:
    rubbish = np.where(few_events.jet_mask[..., None], few_events.jets, np.nan)
    before, after = say(model, few_events), say(model, replace(few_events, jets=rubbish))
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


@pytest.mark.parametrize("change", [turn, reflect_y, reflect_z])
def test_the_neutrinos_turn_with_the_event_and_the_assignment_stays(
    model: keras.Model, few_events: Events, change: object
) -> None:
    before, after = say(model, few_events), say(model, change(few_events))
    assert_close(after, before | {"neutrinos": momenta_after(change, before["neutrinos"])})


def test_b_and_bbar_change_places_with_the_leptons(model: keras.Model, few_events: Events) -> None:
    before, after = say(model, few_events), say(model, exchange_charges(few_events))
    exchanged = {
        "assignment": before["assignment"].swapaxes(1, 2),
        "neutrinos": before["neutrinos"][:, ::-1],
    }
    assert_close(after, exchanged)


def test_sets_do_not_mind_the_order_of_jets(
    set_architecture: ModelConfig, few_events: Events, normalisation: Normalisation
) -> None:
    keras.utils.set_random_seed(7)
    model = build_model(set_architecture, few_events.features, 8, normalisation)
    order = np.random.default_rng(8).permutation(8)
    shuffled = replace(
        few_events, jets=few_events.jets[:, order], jet_mask=few_events.jet_mask[:, order]
    )
    before, after = say(model, few_events), say(model, shuffled)
    np.testing.assert_allclose(
        after["assignment"], before["assignment"][:, order][:, :, order], atol=1e-5
    )
    np.testing.assert_allclose(after["neutrinos"], before["neutrinos"], rtol=1e-3, atol=1e-2)


def test_a_saved_network_says_the_same(
    model: keras.Model, few_events: Events, tmp_path: Path
) -> None:
    save_model(model, tmp_path / "model.keras")
    before, after = say(model, few_events), say(load_model(tmp_path / "model.keras"), few_events)
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


def test_event_features_are_an_input_of_their_own(
    architecture: ModelConfig, few_events: Events
) -> None:
    pileup = np.random.default_rng(9).uniform(20, 60, (300, 1)).astype(np.float32)
    events = replace(few_events, features={**few_events.features, "event": ("mu",)}, event=pileup)
    normalisation = fit_normalisation([(events, np.ones(300))])
    model = build_model(architecture, events.features, 8, normalisation)
    before, after = say(model, events), say(model, replace(events, event=pileup + 10))
    assert set(model.input) == {"jets", "jet_mask", "leptons", "met", "event"}
    assert not np.allclose(before["neutrinos"], after["neutrinos"])


def test_the_penalty_is_on_all_weights_that_multiply(
    few_events: Events, normalisation: Normalisation
) -> None:
    config = FeedForwardConfig(
        architecture="feed_forward", width=8, depth=2, l2=0.5, batch_norm=True
    )
    network = build_model(config, few_events.features, 8, normalisation)
    kernels = [each for each in network.trainable_weights if each.name == "kernel"]
    wanted = 0.5 * sum(float(np.sum(np.square(kernel))) for kernel in kernels)
    assert len(kernels) == 4  # hidden, pairs, neutrinos
    np.testing.assert_allclose(sum(map(float, network.losses)), wanted, rtol=1e-5)
    normalised = [each for each in network.layers if "BatchNorm" in type(each).__name__]
    assert len(normalised) == 2


def test_a_file_that_is_no_network_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"missing\.keras: there is no saved model"):
        load_model(tmp_path / "missing.keras")
    broken = tmp_path / "broken.keras"
    broken.write_bytes(b"PK\x03\x04 not a zip")
    with pytest.raises(InputError, match=r"broken\.keras: has no checksum") as caught:
        load_model(broken)
    assert "\n" not in str(caught.value)
