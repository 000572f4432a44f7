import keras
import numpy as np
import pytest

from rootflow.dataset import Events
from rootflow.models import fit_classifier_normalisation
from rootflow.models.classifier_inputs import Represent
from toy_four_leptons import H4L_FEATURES, toy_four_leptons


@pytest.fixture(scope="module")
def events() -> Events:
    return toy_four_leptons(400)


def represent(collection: str, array: np.ndarray, *chosen: str) -> np.ndarray:
    layer = Represent(collection, H4L_FEATURES[collection], chosen)
    return keras.ops.convert_to_numpy(layer(array))


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
    whole = fit_classifier_normalisation([(events, weight)], inputs)
    halves = [slice(0, 150), slice(150, 400)]
    parts = fit_classifier_normalisation([(events.take(h), weight[h]) for h in halves], inputs)
    for name, array in (("leptons", events.leptons), ("event", events.event)):
        seen = represent(name, array, *inputs[name]).astype(np.float64)
        rows = seen.reshape(-1, seen.shape[-1])
        weights = np.repeat(np.abs(weight), len(rows) // 400)
        mean = np.average(rows, axis=0, weights=weights)
        scale = np.sqrt(np.average((rows - mean) ** 2, axis=0, weights=weights))
        np.testing.assert_allclose(whole.means[name], mean, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(whole.scales[name], scale, rtol=1e-6)
        np.testing.assert_allclose(parts.means[name], mean, rtol=1e-6, atol=1e-9)
