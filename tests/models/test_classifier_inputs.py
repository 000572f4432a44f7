import keras
import numpy as np
import pytest
import vector

from rootflow.dataset import Events
from rootflow.models.classifier_inputs import fit_classifier_normalisation, in_a_row
from rootflow.models.classifier_inputs import represent as represented
from toy_four_leptons import H4L_FEATURES, h4l_inputs, toy_four_leptons


@pytest.fixture(scope="module")
def events() -> Events:
    return toy_four_leptons(400)


def represent(collection: str, array: np.ndarray, *chosen: str) -> np.ndarray:
    inputs = h4l_inputs({collection: list(chosen)})
    return keras.ops.convert_to_numpy(represented(inputs, {collection: array})[collection])


def test_leptons_are_seen_in_logarithms_and_from_the_leading_one(events: Events) -> None:
    pt, _, phi, energy, pdg_id = np.moveaxis(events.leptons.astype(np.float64), -1, 0)
    seen = represent("leptons", events.leptons, "energy", "pdg_id", "phi", "pt")
    angle = phi - phi[:, :1]
    expected = [
        np.log1p(energy),
        np.abs(pdg_id) == 13,
        -np.sign(pdg_id),
        np.cos(angle),
        np.sin(angle),
        np.log1p(pt),
    ]
    np.testing.assert_allclose(seen, np.stack(expected, axis=-1), atol=2e-6)


def test_leptons_of_equal_pt_lead_together(events: Events) -> None:
    leptons = events.leptons.copy()
    leptons[:, 1, 0] = leptons[:, 0, 0]
    seen = represent("leptons", leptons, "phi")
    shuffled = represent("leptons", leptons[:, [1, 0, 2, 3]], "phi")
    np.testing.assert_allclose(shuffled, seen[:, [1, 0, 2, 3]], atol=1e-6)


def test_the_event_is_seen_by_units(events: Events) -> None:
    column = dict(zip(H4L_FEATURES["event"], events.event.astype(np.float64).T, strict=True))
    seen = represent("event", events.event, "phi_1", "mass_23", "cos_theta_star", "jet_n")
    expected = [
        np.cos(column["phi_1"]),
        np.sin(column["phi_1"]),
        np.log1p(column["mass_23"]),
        column["cos_theta_star"],
        column["jet_n"],
    ]
    np.testing.assert_allclose(seen, np.stack(expected, axis=-1), atol=2e-6)


def test_the_normalisation_is_that_of_weighted_events_in_any_chunks(events: Events) -> None:
    inputs = {"leptons": ["pt"], "event": ["m4l", "phi"]}
    weight = events.weight * np.where(np.arange(400) % 7 == 0, -1, 1)
    chosen = h4l_inputs(inputs)
    whole = fit_classifier_normalisation([(events, weight)], chosen)
    halves = [slice(0, 150), slice(150, 400)]
    parts = fit_classifier_normalisation([(events.take(h), weight[h]) for h in halves], chosen)
    for name, array in (("leptons", events.leptons), ("event", events.event)):
        seen = represent(name, array, *inputs[name]).astype(np.float64)
        rows = seen.reshape(-1, seen.shape[-1])
        weights = np.repeat(np.abs(weight), len(rows) // 400)
        mean = np.average(rows, axis=0, weights=weights)
        scale = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weights))
        np.testing.assert_allclose(whole.means[name], mean, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(whole.scales[name], scale, rtol=1e-6)
        np.testing.assert_allclose(parts.means[name], mean, rtol=1e-6, atol=1e-9)


def test_leptons_come_one_after_another_and_then_the_event(events: Events) -> None:
    inputs = h4l_inputs({"leptons": ["eta", "pt"], "event": ["jet_n", "z2_mass"]})
    rows = in_a_row(events.inputs(), inputs)
    assert rows.dtype == np.float32
    leptons = events.leptons[..., [1, 0]].reshape(400, 8)
    places = [H4L_FEATURES["event"].index(name) for name in inputs["event"].chosen]
    np.testing.assert_array_equal(rows, np.concatenate([leptons, events.event[:, places]], axis=1))


def test_phi_is_from_the_leading_lepton_in_whichever_slot(events: Events) -> None:
    inputs = h4l_inputs({"leptons": ["phi"], "event": []})
    rows = in_a_row(events.inputs(), inputs)
    momenta = vector.array({"pt": events.leptons[..., 0], "phi": events.leptons[..., 2]})
    np.testing.assert_allclose(rows, momenta.deltaphi(momenta[:, :1]), atol=1e-6)
    order = [1, 3, 0, 2]
    shuffled = {"leptons": events.leptons[:, order], "event": events.event}
    np.testing.assert_array_equal(in_a_row(shuffled, inputs), rows[:, order])


def test_flavour_and_charge_are_numbers(events: Events) -> None:
    inputs = h4l_inputs({"leptons": ["pdg_id"], "event": []})
    leptons = events.leptons[:1].copy()
    leptons[0, :, 4] = [11, -11, 13, -13]
    rows = in_a_row({"leptons": leptons}, inputs)
    np.testing.assert_array_equal(rows, [[0, -1, 0, 1, 1, -1, 1, 1]])


def test_keras_gives_the_same_bit_by_bit(events: Events) -> None:
    arrays = {name: keras.ops.convert_to_tensor(a) for name, a in events.inputs().items()}
    rows = in_a_row(arrays, h4l_inputs(), keras.ops)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(rows),
        in_a_row(events.inputs(), h4l_inputs()),
    )
