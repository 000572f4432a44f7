import numpy as np

from rootflow.config.simulation import GeneratorConfig, SimulationConfig
from rootflow.simulation.candidates import find_leptons, is_prompt
from rootflow.simulation.processes import start_generator
from rootflow.simulation.record import NOBODY, Record
from rootflow.simulation.truth import TopDecays, find_top_decays


def test_all_leptons_of_each_event_are_found(record: Record) -> None:
    leptons = find_leptons(record, 5.0)
    hard = (
        record.is_final
        & record.is_one_of(11, 13)
        & (np.hypot(record.momentum.px, record.momentum.py) > 5.0)
    )
    for event, row in enumerate(leptons):
        expected = np.flatnonzero(hard & (record.event == event))
        np.testing.assert_array_equal(row[row != NOBODY], expected)


def test_an_event_without_leptons_has_an_empty_row(record: Record) -> None:
    assert (find_leptons(record, 6500.0) == NOBODY).all()


def test_leptons_of_bosons_are_prompt(record: Record, decays: TopDecays) -> None:
    leptons = find_leptons(record, 5.0)
    prompt = set(leptons[is_prompt(record, leptons)].tolist())
    from_w = decays.visible_lepton.ravel()
    hard = from_w[record.momentum[from_w].pt > 5.0]
    assert set(hard.tolist()) <= prompt
    # The others are from hadrons, which fly before they decay, or from radiated photons.
    others = np.setdiff1d(leptons[leptons != NOBODY], np.array(sorted(prompt)))
    flown = np.hypot(*record.vertex[others, :2].T)
    assert len(others) > 50
    assert np.median(flown) > 0.1
    assert np.hypot(*record.vertex[hard, :2].T).max() < 1e-9


def test_leptons_of_a_bosons_tau_are_prompt() -> None:
    config = GeneratorConfig(taus=True, multiparton_interactions=False)
    record = Record.of(start_generator(SimulationConfig(generator=config), 2).events(100).prt)
    decays = find_top_decays(record)
    is_tau = np.abs(record.pdg_id[decays.lepton]) == 15
    visible = decays.visible_lepton[is_tau & (decays.visible_lepton != NOBODY)]
    assert len(visible) > 10
    assert is_prompt(record, visible).all()
