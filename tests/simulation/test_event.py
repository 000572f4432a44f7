"""The branches together, in 300 selected events."""

import awkward as ak
import numpy as np
import pytest

from rootflow.simulation.ntuple import Ntuple


@pytest.fixture(scope="module")
def events(ntuple: Ntuple) -> ak.Array:
    return ntuple.events


# Sums over the 300 events as they have been since the first version, with the pinned Pythia.
SUMS = {
    "jet_pt_NOSYS": 60455177.785,
    "el_eta": -14.3583413,
    "mu_phi": 15.7462148,
    "met_met_NOSYS": 22623084.452,
    "jet_GN2v01_Continuous_quantile": 2823,
}


def test_a_seed_makes_the_same_events_for_ever(ntuple: Ntuple) -> None:
    assert ntuple.generation.events == 912
    for branch, expected in SUMS.items():
        values = ak.to_numpy(ak.flatten(ntuple.events[branch], axis=None)).astype(np.float64)
        assert values.sum() == pytest.approx(expected, rel=1e-7), branch


def _distance(eta: ak.Array, phi: ak.Array) -> ak.Array:
    return np.hypot(eta, (phi + np.pi) % (2 * np.pi) - np.pi)


def test_all_values_are_finite(events: ak.Array) -> None:
    for branch in events.fields:
        assert np.isfinite(ak.to_numpy(ak.flatten(events[branch], axis=None))).all(), branch


def test_all_events_are_selected(events: ak.Array) -> None:
    for prefix in ("jet", "el", "mu"):
        assert ak.min(events[f"{prefix}_pt_NOSYS"], axis=None) > 25_000
        assert ak.max(np.abs(events[f"{prefix}_eta"]), axis=None) < 2.5
        pt = events[f"{prefix}_pt_NOSYS"]
        assert ak.all(pt[:, 1:] <= pt[:, :-1])
    assert ak.min(ak.num(events.jet_eta)) == 2
    assert ak.all(ak.num(events.el_eta) + ak.num(events.mu_eta) == 2)
    charges = ak.sum(events.el_charge, axis=1) + ak.sum(events.mu_charge, axis=1)
    assert ak.all(charges == 0)


def test_energies_are_those_of_small_masses(events: ak.Array) -> None:
    for prefix, mass in (("el", 0.511), ("mu", 105.66)):
        momentum = events[f"{prefix}_pt_NOSYS"] * np.cosh(events[f"{prefix}_eta"])
        expected = np.sqrt(momentum**2 + mass**2)
        assert ak.all(np.abs(events[f"{prefix}_e_NOSYS"] / expected - 1) < 1e-5)
    momentum = events.jet_pt_NOSYS * np.cosh(events.jet_eta)
    assert ak.all(events.jet_e_NOSYS > momentum * (1 - 1e-6))


@pytest.mark.parametrize(("side", "slot"), [("t", 0), ("tbar", 3)])
def test_matched_jets_are_the_nearest_to_their_quark(
    events: ak.Array, side: str, slot: int
) -> None:
    quark = f"Ttbar_MC_b_from_{side}"
    apart = _distance(
        events.jet_eta - events[f"{quark}_eta"], events.jet_phi - events[f"{quark}_phi"]
    )
    index = ak.to_numpy(events.event_jet_truth_idx)[:, slot]
    other = ak.to_numpy(events.event_jet_truth_idx)[:, 3 - slot]
    nearest = ak.to_numpy(ak.argmin(apart, axis=1))
    is_near = ak.to_numpy(ak.min(apart, axis=1)) < 0.4
    matched = index != -1
    np.testing.assert_array_equal(index[matched], nearest[matched])
    assert is_near[matched].all()
    # What is near and not matched lost its jet to the other quark.
    np.testing.assert_array_equal(nearest[is_near & ~matched], other[is_near & ~matched])
    assert (np.delete(ak.to_numpy(events.event_jet_truth_idx), [0, 3], axis=1) == -1).all()


def test_leptons_are_measured_near_their_truth(events: ak.Array) -> None:
    found = 0
    for prefix, name, species in (("el", "electron", 11), ("mu", "muon", 13)):
        for side, slot, charge in (("t", 1, 1), ("tbar", 4, -1)):
            index = ak.to_numpy(events[f"event_{name}_truth_idx"])[:, slot]
            there = index >= 0
            truth = events[there]
            pick = np.arange(there.sum()), index[there]
            lepton = {
                quantity: ak.to_numpy(truth[f"{prefix}_{quantity}"][pick])
                for quantity in ("pt_NOSYS", "eta", "phi", "charge")
            }
            born = f"Ttbar_MC_Wdecay1_afterFSR_from_{side}"
            assert (lepton["charge"] == charge).all()
            assert ak.all(truth[f"{born}_pdgId"] == -charge * species)
            ratio = lepton["pt_NOSYS"] / ak.to_numpy(truth[f"{born}_pt"])
            assert np.median(ratio) == pytest.approx(1, abs=0.01)
            apart = _distance(
                lepton["eta"] - truth[f"{born}_eta"], lepton["phi"] - truth[f"{born}_phi"]
            )
            assert np.quantile(apart, 0.9) < 0.005
            found += there.sum()
    assert found == 2 * len(events)


def test_no_jet_overlaps_a_lepton(events: ak.Array) -> None:
    for prefix in ("el", "mu"):
        pairs = ak.cartesian([events.jet_eta, events[f"{prefix}_eta"]])
        turns = ak.cartesian([events.jet_phi, events[f"{prefix}_phi"]])
        apart = _distance(pairs["0"] - pairs["1"], turns["0"] - turns["1"])
        assert ak.min(apart, axis=None) > 0.399


def test_met_follows_the_neutrinos(events: ak.Array) -> None:
    for axis, direction in (("x", np.cos), ("y", np.sin)):
        met = events.met_met_NOSYS * direction(events.met_phi_NOSYS)
        difference = ak.to_numpy(met - events[f"truth_met_{axis}"]) / 1000
        # Between the soft term alone and the 20 GeV that ATLAS has in ttbar with pile-up.
        assert 7 < difference.std() < 20
        assert difference.mean() == pytest.approx(0, abs=4 * 20 / np.sqrt(len(events)))


def test_masses_of_what_decays(events: ak.Array) -> None:
    for side in ("t", "tbar"):
        top = np.median(events[f"Ttbar_MC_{side}_afterFSR_m"])
        w_boson = np.median(events[f"Ttbar_MC_W_from_{side}_m"])
        assert top == pytest.approx(172_500, abs=300)
        assert w_boson == pytest.approx(80_400, abs=500)


def test_b_jets_are_tagged_as_configured(events: ak.Array) -> None:
    quantile = ak.flatten(events.jet_GN2v01_Continuous_quantile)
    flavour = ak.flatten(events.jet_truthflav)
    b_jets = ak.to_numpy(quantile[flavour == 5])
    for lowest, efficiency in enumerate((0.90, 0.85, 0.77, 0.70, 0.65), start=2):
        error = np.sqrt(efficiency * (1 - efficiency) / len(b_jets))
        assert (b_jets >= lowest).mean() == pytest.approx(efficiency, abs=4 * error)
