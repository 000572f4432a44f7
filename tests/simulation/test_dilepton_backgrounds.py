"""Backgrounds of ttbar in its own ntuples: what is shared is tested in test_event.py."""

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
import vector

from rootflow.config.simulation import DileptonSimulationConfig
from rootflow.simulation import simulate
from rootflow.simulation.chunk import make_chunk
from rootflow.simulation.ntuple import Ntuple
from simulated import read_events

vector.register_awkward()

TRUTH = ("Ttbar_MC_", "truth_n_tau", "event_")


def _types(path: Path) -> dict[str, str]:
    with uproot.open(path) as file:
        return {name: branch.typename for name, branch in file["reco"].items()}


def _leptons(events: ak.Array) -> ak.Array:
    names = {"pt": "pt_NOSYS", "eta": "eta", "phi": "phi", "E": "e_NOSYS", "charge": "charge"}
    return ak.concatenate(
        [
            ak.zip(
                {name: events[f"{prefix}_{branch}"] for name, branch in names.items()},
                with_name="Momentum4D",
            )
            for prefix in ("el", "mu")
        ],
        axis=1,
    )


@pytest.fixture(scope="module")
def z_ntuple(quick_dileptons: DileptonSimulationConfig) -> Ntuple:
    return make_chunk(quick_dileptons.of("z_jets"), seed=5, chunk=0, events=20)


def test_z_bosons_have_their_mass_and_charge(z_ntuple: Ntuple) -> None:
    leptons = _leptons(z_ntuple.events)
    assert ak.all(ak.num(leptons) == 2)
    assert ak.all(ak.sum(leptons.charge, axis=1) == 0)
    assert ak.all(ak.num(z_ntuple.events.el_eta) != 1)  # of one flavour
    mass = ak.to_numpy((leptons[:, 0] + leptons[:, 1]).mass) / 1000
    assert np.median(mass) == pytest.approx(91, abs=2)
    assert ak.min(ak.num(z_ntuple.events.jet_eta)) == 2
    # About one in a hundred has two hard jets beside its leptons.
    assert 40 < z_ntuple.generation.events / 20 < 200


def test_files_are_those_of_ttbar_without_its_truth_and_say_what_is_expected(
    quick_dileptons: DileptonSimulationConfig, ttbar_files: list[Path], tmp_path: Path
) -> None:
    made = {
        name: simulate(quick_dileptons.of(name), 42, tmp_path / name) for name in ("ttbar", "ww")
    }
    expected = {"XSection": "float", "SumWeights": "float"}
    shipped = _types(ttbar_files[0])
    assert _types(made["ttbar"][0]) == shipped | expected
    of_backgrounds = {name: kind for name, kind in shipped.items() if not name.startswith(TRUTH)}
    assert _types(made["ww"][0]) == of_backgrounds | expected
    numbers = {
        name: ak.to_numpy(read_events(files, "reco").eventNumber) >> 29 & 7
        for name, files in made.items()
    }
    assert set(numbers["ttbar"]) == {0}
    assert set(numbers["ww"]) == {5}
    events = read_events(made["ww"], "reco")
    np.testing.assert_allclose(events.XSection, 118.7 * 0.2134**2, rtol=1e-6)
    yield_share = ak.sum(events.weight_mc_NOSYS / events.SumWeights)
    assert 0.003 < yield_share < 0.2
