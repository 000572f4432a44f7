"""The branches together, in 600 selected events of gg -> H."""

import awkward as ak
import numpy as np
import pytest
import vector

from rootflow.simulation.ntuple import Ntuple

vector.register_awkward()


@pytest.fixture(scope="module")
def events(higgs_ntuple: Ntuple) -> ak.Array:
    return higgs_ntuple.events


@pytest.fixture(scope="module")
def prompt_four(events: ak.Array) -> ak.Array:
    """Return the leptons of events that have just the four of the Higgs boson."""
    leptons = ak.zip(
        {
            "pt": events.lep_pt / 1000,
            "eta": events.lep_eta,
            "phi": events.lep_phi,
            "E": events.lep_E / 1000,
            "charge": events.lep_charge,
            "species": events.lep_type,
        },
        with_name="Momentum4D",
    )
    four = (ak.num(leptons) == 4) & ak.all(events.lep_truthMatched, axis=1)
    return leptons[four]


# Sums over the 600 events as they have been since the first version, with the pinned Pythia.
SUMS = {
    "lep_pt": 76284263.167,
    "jet_eta": 13.9196545,
    "met_et": 7792660.943,
    "lep_etcone20": 2757875.846,
    "lep_z0": 5.1580002,
}


def test_a_seed_makes_the_same_events_for_ever(higgs_ntuple: Ntuple) -> None:
    assert higgs_ntuple.generation.events == 1296
    for branch, expected in SUMS.items():
        values = ak.to_numpy(ak.flatten(higgs_ntuple.events[branch], axis=None))
        assert values.astype(np.float64).sum() == pytest.approx(expected, rel=1e-6), branch


def test_all_values_are_finite(events: ak.Array) -> None:
    for branch in events.fields:
        values = ak.to_numpy(ak.flatten(events[branch], axis=None))
        assert np.isfinite(values.astype(float)).all(), branch


def test_all_events_are_selected(events: ak.Array) -> None:
    pt, eta = events.lep_pt, np.abs(events.lep_eta)
    assert ak.min(ak.num(pt)) == 4
    assert ak.all(pt[:, 1:] <= pt[:, :-1])
    is_electron = events.lep_type == 11
    assert ak.all(is_electron | (events.lep_type == 13))
    for these, pt_min, eta_max in ((is_electron, 7000, 2.47), (~is_electron, 5000, 2.7)):
        assert ak.min(pt[these], axis=None) > pt_min
        assert ak.max(eta[these], axis=None) < eta_max
    assert ak.min(events.jet_pt, axis=None) > 20_000
    assert ak.max(np.abs(events.jet_eta), axis=None) < 2.5
    assert set(ak.flatten(events.lep_charge)) == {-1, 1}


def test_the_four_leptons_are_those_of_a_higgs_boson(prompt_four: ak.Array) -> None:
    assert len(prompt_four) > 500
    assert ak.all(ak.sum(prompt_four.charge, axis=1) == 0)
    electrons = ak.to_numpy(ak.sum(prompt_four.species == 11, axis=1))
    assert set(electrons) == {0, 2, 4}
    assert (electrons == 2).mean() == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(len(electrons)))
    total = prompt_four[:, 0] + prompt_four[:, 1] + prompt_four[:, 2] + prompt_four[:, 3]
    mass = ak.to_numpy(total.mass)
    assert np.median(mass) == pytest.approx(124.8, abs=0.4)
    # Of 30 GeV leptons that are measured to about 2 % each: 1.3 GeV.
    half_width = np.diff(np.quantile(mass, [0.16, 0.84]))[0] / 2
    assert 0.9 < half_width < 2.0


def test_prompt_leptons_are_isolated_and_from_the_collision(events: ak.Array) -> None:
    prompt = events.lep_truthMatched
    relative = ak.flatten((events.lep_ptcone30 / events.lep_pt)[prompt])
    assert ak.mean(relative < 0.3) > 0.9
    assert ak.min(relative) == 0
    # Half a Gaussian: 68.3 % within one sigma, but for the leptons of taus.
    significance = ak.flatten(events.lep_tracksigd0pvunbiased[prompt])
    assert ak.min(significance) >= 0
    error = np.sqrt(0.683 * 0.317 / len(significance))
    assert ak.mean(significance < 1) == pytest.approx(0.683, abs=4 * error)
    z0_sin_theta = ak.flatten((events.lep_z0 / np.cosh(events.lep_eta))[prompt])
    assert ak.std(z0_sin_theta) == pytest.approx(0.092, abs=0.005)


def test_triggers_need_a_hard_lepton_of_their_flavour(events: ak.Array) -> None:
    for species, trigger, efficiency in ((11, events.trigE, 0.95), (13, events.trigM, 0.80)):
        hard = ak.sum((events.lep_type == species) & (events.lep_pt > 27_000), axis=1)
        assert not ak.any(trigger[hard == 0])
        one = ak.to_numpy(trigger[hard == 1])
        error = np.sqrt(efficiency * (1 - efficiency) / len(one))
        assert one.mean() == pytest.approx(efficiency, abs=4 * error)


def test_tight_leptons_are_as_many_as_configured(events: ak.Array) -> None:
    for species, efficiency in ((11, 0.85), (13, 0.95)):
        tight = ak.to_numpy(ak.flatten(events.lep_isTightID[events.lep_type == species]))
        error = np.sqrt(efficiency * (1 - efficiency) / len(tight))
        assert tight.mean() == pytest.approx(efficiency, abs=4 * error)


def test_no_jet_is_an_electron(events: ak.Array) -> None:
    is_electron = events.lep_type == 11
    pairs = ak.cartesian([events.jet_eta, events.lep_eta[is_electron]])
    turns = ak.cartesian([events.jet_phi, events.lep_phi[is_electron]])
    turn = (turns["0"] - turns["1"] + np.pi) % (2 * np.pi) - np.pi
    assert ak.min(np.hypot(pairs["0"] - pairs["1"], turn), axis=None) > 0.199


def test_there_is_little_missing_momentum(events: ak.Array) -> None:
    # A soft term of 7 GeV in px and py, and mismeasured jets.
    assert 8 < np.median(ak.to_numpy(events.met_et)) / 1000 < 15
