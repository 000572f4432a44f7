import awkward as ak
import numpy as np
import pytest
import vector

from rootflow.config.simulation import DileptonSelectionConfig
from rootflow.simulation.dilepton import are_isolated, has_two_leptons
from rootflow.simulation.jets import drop_electrons
from rootflow.simulation.leptons import MeasuredLeptons


def _leptons(pdg_id: int, pt: float = 40.0, found: bool = True) -> MeasuredLeptons:
    """Return one event: a lepton at eta 0 and a muon at eta 2."""
    nothing = np.zeros((1, 2))
    momentum = vector.array(
        {
            "pt": np.array([[pt, 40.0]]),
            "eta": np.array([[0.0, 2.0]]),
            "phi": nothing,
            "mass": nothing,
        }
    )
    return MeasuredLeptons(
        momentum, np.array([[pdg_id, 13]], dtype=np.int32), np.array([[found, True]])
    )


def _jets(*eta: float) -> ak.Array:
    columns = {"pt": [50.0] * len(eta), "eta": list(eta), "phi": [0.0] * len(eta)}
    jets = ak.zip(columns | {"mass": [5.0] * len(eta)}, with_name="Momentum4D")
    return ak.unflatten(jets, [len(eta)])


def test_both_leptons_must_be_found_and_hard() -> None:
    selection = DileptonSelectionConfig()
    assert has_two_leptons(_leptons(-11), selection).tolist() == [True]
    assert has_two_leptons(_leptons(-11, pt=24.9), selection).tolist() == [False]
    assert has_two_leptons(_leptons(-11, found=False), selection).tolist() == [False]


def test_a_jet_at_an_electron_is_the_electron() -> None:
    assert drop_electrons(_jets(0.1, 0.3), _leptons(-11), 0.2).eta.tolist() == [[0.3]]
    assert drop_electrons(_jets(0.1, 0.3), _leptons(-13), 0.2).eta.tolist() == [[0.1, 0.3]]


@pytest.mark.parametrize(("eta", "isolated"), [(0.39, False), (0.41, True), (1.7, False)])
def test_a_lepton_near_a_jet_is_not_isolated(eta: float, isolated: bool) -> None:
    assert are_isolated(_jets(-2.0, eta), _leptons(-13), 0.4).tolist() == [isolated]
