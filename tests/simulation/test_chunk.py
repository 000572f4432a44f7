import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest

from rootflow.config.simulation import DileptonSelectionConfig, GeneratorConfig, SimulationConfig
from rootflow.errors import UsageError
from rootflow.simulation import chunk as chunk_module
from rootflow.simulation.chunk import Generator, make_chunk
from rootflow.simulation.ntuple import Ntuple, read_ntuples
from rootflow.simulation.record import GeneratorRecord, find_top_decays

IN_A_FRESH_PROCESS = """
import sys
from pathlib import Path
from rootflow.config.simulation import SimulationConfig
from rootflow.simulation.chunk import make_chunk
from rootflow.simulation.ntuple import write_ntuple
config = SimulationConfig.model_validate_json(sys.argv[1])
write_ntuple(make_chunk(config, 5, 1, 15), "reco", Path(sys.argv[2]))
"""


def test_a_chunk_does_not_depend_on_what_was_made_before(
    quick_config: SimulationConfig, tmp_path: Path
) -> None:
    before = make_chunk(quick_config, seed=5, chunk=0, events=5)
    after = make_chunk(quick_config, seed=5, chunk=1, events=15)
    path = tmp_path / "fresh.root"
    command = [sys.executable, "-c", IN_A_FRESH_PROCESS, quick_config.model_dump_json(), path]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    fresh = read_ntuples([path], "reco")
    assert fresh.generation == after.generation
    for branch in after.events.fields:
        assert ak.array_equal(after.events[branch], fresh.events[branch], check_parameters=False)
    met, other_met = (ak.to_numpy(made.events.truth_met_x) for made in (before, after))
    assert not np.isin(met, other_met).any()


def test_a_chunk_has_just_the_events_asked_for(ntuple: Ntuple) -> None:
    assert len(ntuple.events) == 300
    assert len(np.unique(ntuple.events.eventNumber)) == 300
    # A third of the dileptonic events is selected: acceptance, 0.9 per lepton, two jets.
    assert 300 / ntuple.generation.events == pytest.approx(0.33, abs=0.06)


def test_a_selection_that_nothing_passes_is_refused(
    quick_config: SimulationConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunk_module, "GENERATED_BEFORE_GIVING_UP", 20)
    impossible = DileptonSelectionConfig(lepton_pt_min_gev=6000.0)
    with pytest.raises(UsageError, match="none of 20 generated events"):
        make_chunk(quick_config.model_copy(update={"selection": impossible}), 1, 0, 5)


def _start(config: GeneratorConfig, seed: int) -> Generator:
    return Generator(SimulationConfig(generator=config), seed)


def test_a_seed_gives_the_same_events_twice() -> None:
    config = GeneratorConfig(multiparton_interactions=False)
    first, again, other = (_start(config, seed).events(5).prt for seed in (3, 3, 4))
    assert ak.array_equal(first.p.px, again.p.px)
    assert not ak.array_equal(first.p.px, other.p.px)


def test_settings_reach_pythia() -> None:
    config = GeneratorConfig(
        energy_tev=8.0,
        initial_states=["qq"],
        top_mass_gev=160.0,
        w_mass_gev=70.0,
        taus=True,
        multiparton_interactions=False,
    )
    batch = _start(config, 1).events(100)
    record = GeneratorRecord.of(batch.prt)
    decays = find_top_decays(record)
    assert np.median(record.momentum[decays.top].mass) == pytest.approx(160, abs=0.5)
    assert np.median(record.momentum[decays.w_boson].mass) == pytest.approx(70, abs=0.7)
    assert ak.to_numpy(batch.info.id1 + batch.info.id2).any() == np.False_
    beams = ak.to_numpy(batch.prt.p.e[:, 1] + batch.prt.p.e[:, 2])
    np.testing.assert_allclose(beams, 8000)
    assert set(np.unique(np.abs(record.pdg_id[decays.lepton]))) == {11, 13, 15}


def test_further_settings_reach_pythia() -> None:
    heavier = GeneratorConfig(settings=["6:m0 = 190"], multiparton_interactions=False)
    record = GeneratorRecord.of(_start(heavier, 1).events(50).prt)
    top = record.momentum[find_top_decays(record).top]
    assert np.median(top.mass) == pytest.approx(190, abs=1)


def test_a_setting_that_pythia_does_not_know_is_refused() -> None:
    with pytest.raises(UsageError, match="'Foo:bar = 1'"):
        _start(GeneratorConfig(settings=["Foo:bar = 1"]), 1)
