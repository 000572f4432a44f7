import keras
import numpy as np

from rootflow.dataset import Events
from rootflow.models.normalisation import Normalisation, Standardise, fit_normalisation
from rootflow.models.views import LeptonViews


def test_what_is_there_gets_mean_zero_and_scale_one(
    few_events: Events, normalisation: Normalisation
) -> None:
    views = LeptonViews(few_events.features)(**few_events.inputs())
    seen = Standardise(normalisation.means["jets"], normalisation.scales["jets"])(views["jets"])
    there = keras.ops.convert_to_numpy(seen)[
        np.repeat(few_events.jet_mask[:, None], 2, axis=1)
    ].astype(np.float64)
    np.testing.assert_allclose(there.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(there.std(axis=0), 1, atol=1e-4)


def test_chunks_do_not_matter(few_events: Events, normalisation: Normalisation) -> None:
    weight = np.ones(len(few_events))
    parts = [slice(0, 7), slice(7, 200), slice(200, 300)]
    chunked = fit_normalisation((few_events.take(part), weight[part]) for part in parts)
    for name in normalisation.means:
        np.testing.assert_allclose(chunked.means[name], normalisation.means[name], rtol=1e-6)
        np.testing.assert_allclose(chunked.scales[name], normalisation.scales[name], rtol=1e-6)


def test_a_weight_of_two_is_the_event_twice_and_one_of_zero_is_no_event(
    few_events: Events,
) -> None:
    weight = np.arange(len(few_events)) % 3.0
    repeated = few_events.take(np.repeat(np.arange(len(few_events)), weight.astype(int)))
    weighted = fit_normalisation([(few_events, weight)])
    twice = fit_normalisation([(repeated, np.ones(len(repeated)))])
    np.testing.assert_allclose(weighted.means["pairs"], twice.means["pairs"], rtol=1e-6)
    np.testing.assert_allclose(weighted.scales["pairs"], twice.scales["pairs"], rtol=1e-6)
    np.testing.assert_allclose(weighted.neutrino_scales, twice.neutrino_scales, rtol=1e-6)


def test_the_neutrinos_scales_are_their_root_mean_squares(
    few_events: Events, normalisation: Normalisation
) -> None:
    assert few_events.neutrinos is not None
    px, py, pz = np.moveaxis(few_events.neutrinos.astype(np.float64), -1, 0)
    transverse, longitudinal = np.sqrt(np.mean((px**2 + py**2) / 2)), np.sqrt(np.mean(pz**2))
    expected = transverse, transverse, longitudinal
    np.testing.assert_allclose(normalisation.neutrino_scales, expected, rtol=1e-5)


def test_a_feature_that_never_varies_stays_finite(few_events: Events) -> None:
    same = few_events.take(np.zeros(4, dtype=np.int64))
    constant = fit_normalisation([(same, np.ones(4))])
    assert all(np.all(np.asarray(row) > 0) for row in constant.scales.values())
