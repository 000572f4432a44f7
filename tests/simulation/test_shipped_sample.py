"""The sample in data/: what its README says, and alike an independent simulation."""

import json
from collections.abc import Callable
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

from independent_simulation import difference
from rootflow.config import load
from rootflow.simulation.plan import SimulationPlan

PROJECT = Path(__file__).parents[2]
SHIPPED = PROJECT / "data" / "ttbar"

# The largest difference of two cumulative distributions. 20,000 and 50,000 events of one
# distribution differ by 0.016 in one of 1,000 cases; a wrong unit, selection or flavour by
# more than 0.2. In between is room for two detectors that are of one kind, not the same.
DIFFERENCE = 0.05
# The share of the independent simulation; its statistical error is 0.002.
MATCHED = 0.698


def _flat(values: ak.Array) -> np.ndarray:
    return ak.to_numpy(ak.flatten(values, axis=None))


def _met_error(events: ak.Array) -> ak.Array:
    met_x = events.met_met_NOSYS * np.cos(events.met_phi_NOSYS)
    return met_x - events.truth_met_x


def _b_response(events: ak.Array) -> ak.Array:
    matched = events[events.event_jet_truth_idx[:, 0] >= 0]
    index = ak.to_numpy(matched.event_jet_truth_idx)[:, 0]
    jet_pt = ak.to_numpy(matched.jet_pt_NOSYS[np.arange(len(index)), index])
    return jet_pt / matched.Ttbar_MC_b_from_t_pt


def _quantiles_of(flavour: int) -> Callable[[ak.Array], ak.Array]:
    return lambda events: events.jet_GN2v01_Continuous_quantile[events.jet_truthflav == flavour]


OBSERVABLES: dict[str, Callable[[ak.Array], ak.Array]] = {
    **{
        name: (lambda events, name=name: events[name])  # type: ignore[misc]
        for name in (
            *(f"{prefix}_{of}" for prefix in ("jet", "el", "mu") for of in ("pt_NOSYS", "eta")),
            "jet_e_NOSYS",
            "met_met_NOSYS",
            "truth_met_x",
            "Ttbar_MC_t_afterFSR_pt",
            "Ttbar_MC_b_from_t_pt",
            "Ttbar_MC_W_from_tbar_m",
        )
    },
    "jets": lambda events: ak.num(events.jet_eta),
    "electrons": lambda events: ak.num(events.el_eta),
    "b jets": lambda events: ak.sum(events.jet_truthflav == 5, axis=1),
    "light jets": lambda events: ak.sum(events.jet_truthflav == 0, axis=1),
    "quantile of b jets": _quantiles_of(5),
    "quantile of c jets": _quantiles_of(4),
    "quantile of light jets": _quantiles_of(0),
    "MET error": _met_error,
    "jet pT / b pT": _b_response,
}


@pytest.fixture(scope="module")
def shipped() -> ak.Array:
    return uproot.concatenate([f"{path}:reco" for path in SHIPPED.glob("*.root")])


def test_the_shipped_configuration_describes_it(shipped: ak.Array) -> None:
    config = load(PROJECT / "configs" / "ttbar.yaml")
    manifest = json.loads((SHIPPED / "simulation.json").read_text())
    manifest["config"]["layout"] = "topcptoolkit"  # there was no other when it was made
    plan = SimulationPlan(config.simulation, config.seed, SHIPPED)
    for name in ("config", "seed", "generators"):  # the code has changed since, not what it makes
        assert manifest[name] == plan.description[name]
    assert len(shipped) == config.simulation.events == len(np.unique(shipped.eventNumber))
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 10e6


@pytest.mark.parametrize("name", OBSERVABLES)
def test_it_is_alike_an_independent_simulation(name: str, shipped: ak.Array) -> None:
    assert difference(_flat(OBSERVABLES[name](shipped)), "ttbar", name) < DIFFERENCE


def test_as_many_events_have_both_jets_matched(shipped: ak.Array) -> None:
    matched = ak.mean(ak.all(shipped.event_jet_truth_idx[:, [0, 3]] >= 0, axis=1))
    assert matched == pytest.approx(MATCHED, abs=0.03)
