"""The samples in data/h4l: what their README says, and alike an independent simulation."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
import vector

from independent_simulation import difference
from rootflow.config import load
from rootflow.simulation.plan import SimulationPlan

vector.register_awkward()

PROJECT = Path(__file__).parents[2]
SHIPPED = PROJECT / "data" / "h4l"

# The largest difference of two cumulative distributions. 3,000 and 16,000 events of one
# distribution differ by 0.04 in one of 1,000 cases; a wrong unit, selection or mass by more
# than 0.2. In between is room for two detectors and triggers that are of one kind.
DIFFERENCE = 0.08
SELECTED_PT_MEV = (20_000, 15_000, 10_000, 7_000)


def _leptons(events: ak.Array) -> ak.Array:
    fields = {name: events[f"lep_{name}"] for name in ("pt", "eta", "phi", "E")}
    return ak.zip(fields, with_name="Momentum4D")


def _four_leptons(events: ak.Array) -> ak.Array:
    leptons = _leptons(events)
    return leptons[:, 0] + leptons[:, 1] + leptons[:, 2] + leptons[:, 3]


OBSERVABLES: dict[str, Callable[[ak.Array], ak.Array]] = {
    "m4l": lambda events: _four_leptons(events).mass,
    "pT(4l)": lambda events: _four_leptons(events).pt,
    "y(4l)": lambda events: _four_leptons(events).rapidity,
    **{
        f"pT of lepton {slot}": (lambda events, slot=slot: events.lep_pt[:, slot])  # type: ignore[misc]
        for slot in range(4)
    },
    "eta": lambda events: ak.flatten(events.lep_eta),
    "electrons": lambda events: ak.sum(events.lep_type == 11, axis=1),
    "jets": lambda events: events.jet_n,
    "jet pT": lambda events: ak.flatten(events.jet_pt),
    "d0 significance": lambda events: ak.flatten(events.lep_tracksigd0pvunbiased),
}


def _selected(files: Sequence[Path]) -> ak.Array:
    """Return what both detectors keep: four prompt leptons that are not too soft."""
    events = uproot.concatenate([f"{path}:mini" for path in files])
    prompt = (events.lep_n == 4) & ak.all(events.lep_truthMatched, axis=1)
    events = events[prompt & (events.trigE | events.trigM)]
    hard = ak.all(events.lep_pt > np.array([SELECTED_PT_MEV]), axis=1)
    return events[hard & (ak.sum(events.lep_charge, axis=1) == 0)]


@pytest.mark.parametrize("process", ["ggH", "VBFH", "ZZ"])
def test_the_shipped_configuration_describes_it(process: str) -> None:
    config = load(PROJECT / "configs" / "h4l.yaml")
    manifest = json.loads((SHIPPED / f"{process}_simulation.json").read_text())
    plan = SimulationPlan(config.simulation.of(process), config.seed, SHIPPED)
    for name in ("config", "seed", "generators"):  # the code has changed since, not what it makes
        assert manifest[name] == plan.description[name]
    events = uproot.concatenate([f"{path}:mini" for path in plan.file_chunks()])
    assert len(events) == plan.config.events == len(np.unique(events.eventNumber))
    np.testing.assert_array_equal(events.SumWeights, manifest["generated_events"])
    np.testing.assert_allclose(events.XSection, manifest["cross_section_pb"], rtol=1e-6)


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 4e6


def test_cross_sections_are_those_of_the_process() -> None:
    """6.024 fb and 0.469 fb (arXiv:1610.07922); ZZ by Pythia: 0.069 pb x 1.57."""
    for process, expected, error in (
        ("ggH", 6.024e-3, 1e-6),
        ("VBFH", 4.690e-4, 1e-7),
        ("ZZ", 0.108, 0.003),
    ):
        manifest = json.loads((SHIPPED / f"{process}_simulation.json").read_text())
        assert manifest["cross_section_pb"] == pytest.approx(expected, abs=error)


@pytest.mark.parametrize("process", ["ggH", "ZZ"])
def test_it_is_alike_an_independent_simulation(
    process: str, h4l_files: dict[str, list[Path]]
) -> None:
    events = _selected(h4l_files[process])
    differences = {
        name: difference(ak.to_numpy(observable(events)), process, name)
        for name, observable in OBSERVABLES.items()
    }
    assert max(differences.values()) < DIFFERENCE, differences


def test_the_higgs_boson_peaks_and_the_background_does_not() -> None:
    peak, continuum = (
        ak.to_numpy(_four_leptons(_selected([SHIPPED / f"{process}_s42_000.root"])).mass) / 1000
        for process in ("ggH", "ZZ")
    )
    assert np.median(peak) == pytest.approx(124.8, abs=0.2)
    assert (np.abs(peak - 125) < 5).mean() > 0.9
    assert (np.abs(continuum - 125) < 5).mean() < 0.03
    assert (continuum > 180).mean() > 0.7
