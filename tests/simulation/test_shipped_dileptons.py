"""The samples in data/dilepton: what their README says, and what tells them from ttbar."""

import json
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from rootflow.config.simulation import DileptonSimulationConfig
from rootflow.simulation.plan import SimulationPlan

PROJECT = Path(__file__).parents[2]
SHIPPED = PROJECT / "data" / "dilepton"
BACKGROUNDS = ["z_jets", "ww"]
CONFIG = DileptonSimulationConfig(events={"z_jets": 1500, "ww": 1500})


def _events(process: str) -> ak.Array:
    return uproot.concatenate([f"{path}:reco" for path in SHIPPED.glob(f"{process}_s*.root")])


@pytest.mark.parametrize("process", BACKGROUNDS)
def test_its_configuration_describes_it(process: str) -> None:
    manifest = json.loads((SHIPPED / f"{process}_simulation.json").read_text())
    plan = SimulationPlan(CONFIG.of(process), 42, SHIPPED)
    for name in ("config", "seed", "generators"):  # the code may change, not what it makes
        assert manifest[name] == plan.description[name]
    events = _events(process)
    assert len(events) == plan.config.events == len(np.unique(events.eventNumber))
    np.testing.assert_allclose(events.XSection, manifest["cross_section_pb"], rtol=1e-6)
    np.testing.assert_allclose(events.SumWeights, manifest["generated_events"], rtol=1e-3)


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 1.5e6


def test_backgrounds_look_as_they_should() -> None:
    z_jets, ww = (_events(process) for process in BACKGROUNDS)
    assert ak.all(ak.num(z_jets.el_eta) != 1)
    mixed = float(ak.mean(ak.num(ww.el_eta) == 1))
    assert mixed == pytest.approx(0.5, abs=0.06)
    # Neutrinos of WW alone, and hardly any b jet in either.
    assert np.median(z_jets.met_met_NOSYS) < 25_000 < 40_000 < np.median(ww.met_met_NOSYS)
    for events in (z_jets, ww):
        assert ak.mean(ak.any(events.jet_truthflav == 5, axis=1)) < 0.2
