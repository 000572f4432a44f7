from dataclasses import replace

import keras
import numpy as np
import pytest

from rootflow.dataset import Events
from rootflow.models.tree_columns import tree_answer, tree_columns
from rootflow.physics.kinematics import delta_r, four_momentum, invariant_mass
from symmetries import exchange_charges, reflect_y, reflect_z, turn

Said = dict[str, np.ndarray]


def say(model: keras.Model, events: Events) -> Said:
    given = {name: array for name, array in events.inputs().items() if name in model.input}
    return {name: np.asarray(tensor) for name, tensor in model(given).items()}


def existing(events: Events) -> np.ndarray:
    """Return (n, 8, 8), True for pairs of two different jets."""
    there = events.jet_mask
    return there[:, :, None] & there[:, None] & ~np.eye(8, dtype=bool)


@pytest.fixture(scope="module")
def columns(few_events: Events) -> keras.Model:
    return tree_columns(few_events.features, 8)


def test_a_pair_is_seen_with_the_masses_and_distances_of_its_halves(
    columns: keras.Model, few_events: Events
) -> None:
    pairs = say(columns, few_events)["pairs"].reshape(300, 8, 8, -1)
    jets, leptons = (
        np.moveaxis(array[..., :4].astype(np.float64), -1, 0)
        for array in (few_events.jets, few_events.leptons)
    )
    momenta, of_leptons = four_momentum(*jets), four_momentum(*leptons)
    first = invariant_mass(momenta[:, 0] + of_leptons[:, 0])
    second = invariant_mass(momenta[:, 1] + of_leptons[:, 1])
    larger, smaller = np.maximum(first, second), np.minimum(first, second)
    seen = pairs[:, 0, 1]
    assert seen.dtype == np.float32
    width = (pairs.shape[-1] - 6 - 19) // 2
    np.testing.assert_allclose(seen[:, 5], np.log1p(larger), rtol=1e-5)
    np.testing.assert_allclose(seen[:, width + 19 + 5], np.log1p(smaller), rtol=1e-5)
    np.testing.assert_allclose(seen[:, -6], np.log1p(larger), rtol=1e-5)
    np.testing.assert_allclose(
        seen[:, -4], np.log1p(invariant_mass(momenta[:, 0] + momenta[:, 1])), rtol=1e-4
    )
    away = delta_r(jets[1][:, 0], jets[2][:, 0], jets[1][:, 1], jets[2][:, 1])
    np.testing.assert_allclose(seen[:, -1], away, rtol=1e-5)


@pytest.mark.parametrize("change", [turn, reflect_y, reflect_z])
def test_rows_do_not_know_the_axes_of_the_detector(
    columns: keras.Model, few_events: Events, change: object
) -> None:
    before, after = say(columns, few_events), say(columns, change(few_events))
    both = existing(few_events)
    for name, kept in (("pairs", both.reshape(300, 64)), ("neutrinos", slice(None))):
        np.testing.assert_allclose(after[name][kept], before[name][kept], atol=2e-4)


def test_exchanging_the_charges_exchanges_the_jets_of_a_pair(
    columns: keras.Model, few_events: Events
) -> None:
    before, after = say(columns, few_events), say(columns, exchange_charges(few_events))
    both = existing(few_events)
    seen, exchanged = (said["pairs"].reshape(300, 8, 8, -1) for said in (before, after))
    np.testing.assert_allclose(exchanged.swapaxes(1, 2)[both], seen[both], atol=1e-6)
    np.testing.assert_allclose(after["neutrinos"], before["neutrinos"][:, ::-1], atol=1e-6)


def test_padding_does_not_matter_and_inputs_may_lack_the_met(few_events: Events) -> None:
    rubbish = np.where(few_events.jet_mask[..., None], few_events.jets, np.nan)
    features = {**few_events.features, "met": ()}
    columns = tree_columns(features, 8)
    assert [*columns.input] == ["jets", "jet_mask", "leptons"]
    before, after = say(columns, few_events), say(columns, replace(few_events, jets=rubbish))
    for name, array in before.items():
        np.testing.assert_array_equal(after[name], array)


def test_the_answer_is_the_share_of_each_pair_and_momenta_of_the_detector(
    few_events: Events, columns: keras.Model
) -> None:
    seen = say(columns, few_events)
    random = np.random.default_rng(1)
    log_odds = random.normal(0, 2, (300, 8, 8)).astype(np.float32)
    along = np.einsum("nvij,nvj->nvi", seen["axes"], few_events.neutrinos)
    given = {"log_odds": log_odds, "momenta": along, "axes": seen["axes"], "there": seen["there"]}
    said = {name: np.asarray(tensor) for name, tensor in tree_answer(8)(given).items()}
    odds = np.exp(log_odds) * existing(few_events)
    np.testing.assert_allclose(
        said["assignment"], odds / odds.sum(axis=(1, 2), keepdims=True), rtol=1e-5
    )
    np.testing.assert_allclose(said["neutrinos"], few_events.neutrinos, atol=1e-3)
