import awkward as ak
import numpy as np
import pytest

from rootflow.config.simulation import GeneratorConfig, SimulationConfig
from rootflow.errors import UsageError
from rootflow.simulation.chunk import Generator
from rootflow.simulation.record import Record
from rootflow.simulation.truth import find_top_decays


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
    record = Record.of(batch.prt)
    decays = find_top_decays(record)
    assert np.median(record.momentum[decays.top].mass) == pytest.approx(160, abs=0.5)
    assert np.median(record.momentum[decays.w_boson].mass) == pytest.approx(70, abs=0.7)
    assert ak.to_numpy(batch.info.id1 + batch.info.id2).any() == np.False_
    beams = ak.to_numpy(batch.prt.p.e[:, 1] + batch.prt.p.e[:, 2])
    np.testing.assert_allclose(beams, 8000)
    assert set(np.unique(np.abs(record.pdg_id[decays.lepton]))) == {11, 13, 15}


def test_further_settings_reach_pythia() -> None:
    heavier = GeneratorConfig(settings=["6:m0 = 190"], multiparton_interactions=False)
    record = Record.of(_start(heavier, 1).events(50).prt)
    top = record.momentum[find_top_decays(record).top]
    assert np.median(top.mass) == pytest.approx(190, abs=1)


def test_a_setting_that_pythia_does_not_know_is_refused() -> None:
    with pytest.raises(UsageError, match="'Foo:bar = 1'"):
        _start(GeneratorConfig(settings=["Foo:bar = 1"]), 1)
