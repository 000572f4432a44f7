import awkward as ak
import numpy as np
import vector

from rootflow.simulation.dilepton import index_by_species, match_jets
from rootflow.simulation.leptons import MeasuredLeptons


def _quarks(eta_of_b: float, eta_of_bbar: float) -> vector.MomentumNumpy4D:
    eta = np.array([[eta_of_b, eta_of_bbar]])
    return vector.array({"pt": 50 + 0 * eta, "eta": eta, "phi": 0 * eta, "mass": 0 * eta})


def _jets(*eta: float) -> ak.Array:
    columns = {"pt": [50.0] * len(eta), "eta": list(eta), "phi": [0.0] * len(eta)}
    jets = ak.zip(columns | {"mass": [5.0] * len(eta)}, with_name="Momentum4D")
    return ak.unflatten(jets, [len(eta)])


def test_each_quark_gets_its_nearest_jet() -> None:
    jets = _jets(1.3, 1.1, -1.05)
    assert match_jets(jets, _quarks(1.0, -1.0), 0.4).tolist() == [[1, 2]]


def test_a_jet_too_far_away_is_nobodys() -> None:
    assert match_jets(_jets(1.39, -1.41), _quarks(1.0, -1.0), 0.4).tolist() == [[0, -1]]


def test_two_quarks_never_share_a_jet() -> None:
    assert match_jets(_jets(0.0, 2.0), _quarks(0.2, -0.1), 0.4).tolist() == [[-1, 0]]
    assert match_jets(_jets(0.0, 2.0), _quarks(0.1, -0.2), 0.4).tolist() == [[0, -1]]


def test_an_event_without_jets_has_no_match() -> None:
    jets = ak.concatenate([_jets(0.0)[:, :0], _jets(0.0)])
    quarks = _quarks(0.1, 2.0)[[0, 0]]
    assert match_jets(jets, quarks, 0.4).tolist() == [[-1, -1], [0, -1]]


def test_leptons_are_counted_within_their_species() -> None:
    pt = np.array([[30.0, 50.0], [50.0, 30.0], [30.0, 50.0]])
    momentum = vector.array({"pt": pt, "eta": 0 * pt, "phi": 0 * pt, "mass": 0 * pt})
    pdg_id = np.array([[-11, 11], [-11, 11], [-13, 11]], dtype=np.int32)
    leptons = MeasuredLeptons(momentum, pdg_id, np.ones((3, 2), dtype=bool))
    assert index_by_species(leptons, 11).tolist() == [[1, 0], [0, 1], [-1, 0]]
    assert index_by_species(leptons, 13).tolist() == [[-1, -1], [-1, -1], [0, -1]]
