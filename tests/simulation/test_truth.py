import numpy as np
import pytest

from rootflow.config.simulation import GeneratorConfig, SimulationConfig
from rootflow.simulation.chunk import Generator
from rootflow.simulation.record import NOBODY, GeneratorRecord, TopDecays, find_top_decays

SIGNS = np.array([1, -1])


def test_each_event_has_a_top_and_an_antitop(record: GeneratorRecord, decays: TopDecays) -> None:
    np.testing.assert_array_equal(record.pdg_id[decays.top], np.tile(6 * SIGNS, (200, 1)))
    np.testing.assert_array_equal(record.pdg_id[decays.w_boson], np.tile(24 * SIGNS, (200, 1)))
    np.testing.assert_array_equal(record.event[decays.lepton][:, 0], np.arange(200))


def test_decay_products_add_up_to_what_decays(record: GeneratorRecord, decays: TopDecays) -> None:
    top, w_boson, quark, lepton, neutrino = (
        record.momentum[index]
        for index in (decays.top, decays.w_boson, decays.quark, decays.lepton, decays.neutrino)
    )
    for axis in ("px", "py", "pz", "E"):
        together = getattr(w_boson, axis) + getattr(quark, axis)
        np.testing.assert_allclose(getattr(top, axis), together, atol=1e-6)
    np.testing.assert_allclose((lepton + neutrino).mass, w_boson.mass, rtol=1e-6)


def test_masses_are_the_configured_ones(record: GeneratorRecord, decays: TopDecays) -> None:
    # The median: Breit-Wigner tails have no useful mean. Widths are 1.4 and 2.1 GeV.
    assert np.median(record.momentum[decays.top].mass) == pytest.approx(172.5, abs=0.3)
    assert np.median(record.momentum[decays.w_boson].mass) == pytest.approx(80.4, abs=0.4)


def test_leptons_have_their_top_quarks_charge(record: GeneratorRecord, decays: TopDecays) -> None:
    np.testing.assert_array_equal(np.sign(record.pdg_id[decays.lepton]), -np.tile(SIGNS, (200, 1)))
    assert set(np.unique(np.abs(record.pdg_id[decays.neutrino]))) == {12, 14}
    assert record.is_final[decays.visible_lepton].all()


def test_leptons_from_taus_are_found_where_there_are_any() -> None:
    config = GeneratorConfig(taus=True, multiparton_interactions=False)
    record = GeneratorRecord.of(Generator(SimulationConfig(generator=config), 2).events(300).prt)
    decays = find_top_decays(record)
    is_tau = np.abs(record.pdg_id[decays.lepton]) == 15
    is_visible = decays.visible_lepton != NOBODY
    assert is_visible[~is_tau].all()
    # 17.82 % + 17.39 % (PDG): of about 200 taus, with a binomial error of 3.4 %.
    share = is_visible[is_tau].mean()
    error = np.sqrt(0.352 * 0.648 / is_tau.sum())
    assert share == pytest.approx(0.352, abs=4 * error)
    visible = decays.visible_lepton[is_tau & is_visible]
    assert record.is_final[visible].all()
    assert record.is_one_of(11, 13)[visible].all()
    mothers = np.tile(SIGNS, (300, 1))[is_tau & is_visible]
    np.testing.assert_array_equal(np.sign(record.pdg_id[visible]), -mothers)
