from dataclasses import replace

import keras
import numpy as np
import pytest
import vector

from rootflow.dataset import Events
from rootflow.export.conversion import compiled
from rootflow.models.views import LeptonViews, to_detector
from symmetries import exchange_charges, reflect_y, reflect_z, turn

SEEN = ("jets", "leptons", "met", "pairs")


def views(events: Events) -> dict[str, np.ndarray]:
    """Return the views, with zeros for jets that are not there."""
    seen = LeptonViews(events.features)(**events.inputs())
    arrays = {name: keras.ops.convert_to_numpy(array) for name, array in seen.items()}
    mask = events.jet_mask
    arrays["jets"] = arrays["jets"] * mask[:, None, :, None]
    arrays["pairs"] = arrays["pairs"] * (mask[:, :, None] & mask[:, None, :])[..., None]
    return arrays


@pytest.mark.parametrize("change", [turn, reflect_y, reflect_z])
def test_the_views_do_not_depend_on_the_detectors_axes(few_events: Events, change: object) -> None:
    before, after = views(few_events), views(change(few_events))
    for name in SEEN:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-3, atol=2e-3)


def test_tensorflow_makes_the_same_of_a_graph(few_events: Events) -> None:
    inputs = few_events.inputs()
    layer = LeptonViews(few_events.features)
    tensors = {
        name: keras.Input(array.shape[1:], dtype=array.dtype, name=name)
        for name, array in inputs.items()
    }
    seen = {f"seen_{name}": tensor for name, tensor in layer(**tensors).items()}
    said, wanted = compiled(keras.Model(tensors, seen))(inputs), layer(**inputs)
    for name, array in wanted.items():
        np.testing.assert_allclose(said[f"seen_{name}"], array, rtol=1e-5, atol=1e-4)


def test_the_views_change_places_with_the_leptons(few_events: Events) -> None:
    before, after = views(few_events), views(exchange_charges(few_events))
    for name in ("jets", "leptons", "met"):
        np.testing.assert_allclose(after[name], before[name][:, ::-1], rtol=1e-4, atol=1e-4)
    transposed = before["pairs"].swapaxes(1, 2)
    np.testing.assert_allclose(after["pairs"], transposed, rtol=1e-4, atol=1e-4)


def test_the_own_lepton_is_at_zero_phi_and_on_the_positive_side(few_events: Events) -> None:
    own, other = np.moveaxis(views(few_events)["leptons"], 2, 0)
    eta, cosine, sine = own[..., 0], own[..., 3], own[..., 4]
    np.testing.assert_allclose(cosine, 1.0, atol=1e-5)
    np.testing.assert_allclose(sine, 0.0, atol=1e-5)
    assert np.all(eta >= 0)
    assert np.all(other[..., 4] >= -1e-5)


def test_to_detector_undoes_the_view(few_events: Events) -> None:
    axes = views(few_events)["axes"]
    own = vector.array(
        dict(
            zip(("pt", "eta", "phi"), np.moveaxis(few_events.leptons[..., :3], -1, 0), strict=True)
        )
    )
    momenta = np.stack([own.px, own.py, own.pz], axis=-1).astype(np.float32)
    seen = np.einsum("nvab,nvb->nva", axes, momenta)
    np.testing.assert_allclose(seen[..., 0], own.pt, rtol=1e-4)
    np.testing.assert_allclose(to_detector(seen, axes), momenta, rtol=1e-4, atol=1e-3)


def test_a_jet_is_seen_with_its_mass_with_each_lepton(few_events: Events) -> None:
    jet, plus, minus = (
        vector.array(
            dict(zip(("pt", "eta", "phi", "E"), item[:, :4].astype(np.float64).T, strict=True))
        )
        for item in (few_events.jets[:, 0], few_events.leptons[:, 0], few_events.leptons[:, 1])
    )
    seen = views(few_events)
    for view, (own, other) in enumerate([(plus, minus), (minus, plus)]):
        with_own, with_other = seen["jets"][:, view, 0, 5], seen["jets"][:, view, 0, 6]
        np.testing.assert_allclose(np.expm1(with_own), (jet + own).mass, rtol=2e-3)
        np.testing.assert_allclose(np.expm1(with_other), (jet + other).mass, rtol=2e-3)
        np.testing.assert_allclose(seen["jets"][:, view, 0, 7], jet.deltaR(own), rtol=1e-3)


def test_pairs_are_seen_with_the_larger_mass_with_a_lepton(few_events: Events) -> None:
    first, second, plus, minus = (
        vector.array(
            dict(zip(("pt", "eta", "phi", "E"), item[:, :4].astype(np.float64).T, strict=True))
        )
        for item in (
            few_events.jets[:, 0],
            few_events.jets[:, 1],
            few_events.leptons[:, 0],
            few_events.leptons[:, 1],
        )
    )
    pairs = views(few_events)["pairs"]
    larger = np.maximum((first + plus).mass, (second + minus).mass)
    np.testing.assert_allclose(np.expm1(pairs[:, 0, 1, 0]), larger, rtol=2e-3)
    larger = np.maximum((second + plus).mass, (first + minus).mass)
    np.testing.assert_allclose(np.expm1(pairs[:, 1, 0, 0]), larger, rtol=2e-3)


def test_more_features_are_seen_as_they_are(few_events: Events) -> None:
    count = len(few_events)
    events = replace(
        few_events,
        features={
            "jets": (*few_events.features["jets"], "width"),
            "leptons": (*few_events.features["leptons"], "d0"),
            "met": (*few_events.features["met"],),
            "event": ("pileup",),
        },
        jets=np.concatenate([few_events.jets, np.full((count, 8, 1), 0.25)], axis=-1),
        leptons=np.concatenate([few_events.leptons, np.full((count, 2, 1), 0.5)], axis=-1),
        event=np.full((count, 1), 40.0),
    )
    seen, before = views(events), views(few_events)
    added = {name: seen[name].shape[-1] - before[name].shape[-1] for name in SEEN}
    assert added == {"jets": 1, "leptons": 1, "met": 1, "pairs": 0}
    assert np.all(seen["jets"][..., 0, -1] == 0.25)
    assert np.all(seen["met"][..., -1] == 40.0)
    assert np.any(np.all(seen["leptons"] == 0.5, axis=(0, 1, 2)))
