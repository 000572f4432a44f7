"""What Pythia generates of each process, before any detector."""

from typing import get_args

import numpy as np
import pytest

from rootflow.config.simulation import (
    DileptonProcess,
    DileptonSimulationConfig,
    FourLeptonGeneratorConfig,
    FourLeptonProcess,
    FourLeptonSimulationConfig,
)
from rootflow.simulation.chunk import Generator
from rootflow.simulation.processes import DILEPTON, FOUR_LEPTONS, PROCESSES
from rootflow.simulation.record import NOBODY, GeneratorRecord, find_z_decays

# PDG 2022: Z to ee 3.3632 %, to mumu 3.3662 %.
Z_TO_E_OR_MU = 0.033632 + 0.033662
HARD_PROCESS_ONLY = ["PartonLevel:ISR = off", "PartonLevel:FSR = off", "HadronLevel:all = off"]


def _hard_leptons(
    process: str, events: int, **generator: object
) -> tuple[GeneratorRecord, np.ndarray]:
    """Return where the four leptons of each event are, (n, 4), without any radiation."""
    config = FourLeptonGeneratorConfig(
        multiparton_interactions=False, settings=HARD_PROCESS_ONLY, **generator
    )
    batch = Generator(FourLeptonSimulationConfig(generator=config).of(process), 7).events(events)
    record = GeneratorRecord.of(batch.prt)
    of_z = record.is_final & (np.abs(record.pdg_id[record.mother]) == 23)
    return record, np.flatnonzero(of_z).reshape(events, 4)


@pytest.mark.parametrize("process", ["ggH", "VBFH"])
def test_leptons_of_a_higgs_boson_have_its_mass(process: str) -> None:
    for configured in (125.0, 130.0):
        record, leptons = _hard_leptons(process, 1000, higgs_mass_gev=configured)
        off = record.momentum[leptons].sum(axis=1).mass - configured
        # Half of a Breit-Wigner is within half its width of 4 to 5 MeV.
        assert np.median(off) == pytest.approx(0, abs=0.001)
        assert np.median(np.abs(off)) == pytest.approx(0.00225, abs=0.0006)


@pytest.mark.parametrize("process", ["ggH", "VBFH", "ZZ"])
def test_two_flavours_are_twice_as_often_as_either_alone(process: str) -> None:
    events = 4000
    record, leptons = _hard_leptons(process, events)
    pdg_id = record.pdg_id[leptons]
    assert (pdg_id.sum(axis=1) == 0).all()
    electrons = (np.abs(pdg_id) == 11).sum(axis=1)
    for count, share in ((0, 0.25), (2, 0.5), (4, 0.25)):
        error = np.sqrt(share * (1 - share) / events)
        assert (electrons == count).mean() == pytest.approx(share, abs=4 * error)


def test_taus_come_only_when_asked_for() -> None:
    for taus, species in ((False, {11, 13}), (True, {11, 13, 15})):
        record, leptons = _hard_leptons("ggH", 100, taus=taus)
        assert set(np.unique(np.abs(record.pdg_id[leptons]))) == species


def test_z_pairs_are_mostly_on_their_mass_shell_and_above_the_least_mass() -> None:
    record, leptons = _hard_leptons("ZZ", 2000, zz_z_mass_min_gev=30.0)
    pairs = record.momentum[leptons[:, :2]].sum(axis=1).mass
    assert pairs.min() > 30
    assert np.median(pairs) == pytest.approx(91.0, abs=0.5)
    assert (record.momentum[leptons].sum(axis=1).mass > 180).mean() > 0.7


def test_the_generators_cross_section_counts_the_forced_decays() -> None:
    """Without photons, it is that of all decays times the square of the branching ratio."""
    without_photons = ["WeakZ0:gmZmode = 2", "PartonLevel:all = off"]
    cross_sections = []
    for settings in (without_photons, [*without_photons, "23:onMode = on"]):
        config = FourLeptonGeneratorConfig(settings=settings)
        generator = Generator(FourLeptonSimulationConfig(generator=config).of("ZZ"), 7)
        generator.events(20_000)
        cross_sections.append(generator.cross_section_pb)
    forced, inclusive = cross_sections
    # Two Monte Carlo integrals of 0.4 % each.
    assert forced / inclusive == pytest.approx(Z_TO_E_OR_MU**2, rel=0.04)


def test_vector_boson_fusion_is_of_w_and_z_bosons(
    quick_four_leptons: FourLeptonSimulationConfig,
) -> None:
    assert PROCESSES["VBFH"].settings(quick_four_leptons.generator)[:2] == [
        "HiggsSM:ff2Hff(t:ZZ) = on",
        "HiggsSM:ff2Hff(t:WW) = on",
    ]
    record = GeneratorRecord.of(Generator(quick_four_leptons.of("VBFH"), 3).events(100).prt)
    # The two quarks of the hard process, status -23: W fusion changes their flavours.
    outgoing = (record.status == -23) & (np.abs(record.pdg_id) <= 5)
    incoming = (record.status == -21) & (np.abs(record.pdg_id) <= 5)
    changed = 0
    for event in range(100):
        flavours = [
            sorted(np.abs(record.pdg_id[side & (record.event == event)]))
            for side in (incoming, outgoing)
        ]
        assert len(flavours[1]) == 2
        changed += flavours[0] != flavours[1]
    assert 40 < changed < 95


def test_the_table_has_what_configurations_can_name() -> None:
    numbers = [process.number for process in PROCESSES.values()]
    assert sorted(numbers) == list(range(len(PROCESSES)))
    for names, final_state in ((DileptonProcess, DILEPTON), (FourLeptonProcess, FOUR_LEPTONS)):
        found = {name for name, one in PROCESSES.items() if one.final_state == final_state}
        assert found == set(get_args(names))


@pytest.mark.parametrize(("process", "boson", "mass"), [("z_jets", 23, 91.2), ("ww", 24, 80.4)])
def test_two_leptons_are_those_of_bosons(
    process: str, boson: int, mass: float, quick_dileptons: DileptonSimulationConfig
) -> None:
    record = GeneratorRecord.of(Generator(quick_dileptons.of(process), 3).events(300).prt)
    decays = PROCESSES[process].decays
    assert decays is not None
    lepton = decays(record).visible_lepton
    assert record.is_final[lepton].all()
    np.testing.assert_array_equal(np.sign(record.pdg_id[lepton]), [[-1, 1]] * 300)
    species = np.abs(record.pdg_id[lepton])
    assert set(np.unique(species)) == {11, 13}
    same = (species[:, 0] == species[:, 1]).mean()
    assert same == pytest.approx(1 if process == "z_jets" else 0.5, abs=0.12)
    mother = record.momentum[np.abs(record.pdg_id) == boson]
    assert np.median(mother.mass) == pytest.approx(mass, abs=0.5)
    if process == "z_jets":
        assert mother.mass.min() > quick_dileptons.generator.z_mass_min_gev
        pair = record.momentum[lepton].sum(axis=1)
        assert np.median(pair.mass) == pytest.approx(mass, abs=1)


def test_taus_of_bosons_may_have_no_lepton(quick_dileptons: DileptonSimulationConfig) -> None:
    generator = quick_dileptons.generator.model_copy(update={"taus": True})
    config = quick_dileptons.model_copy(update={"generator": generator}).of("z_jets")
    record = GeneratorRecord.of(Generator(config, 3).events(300).prt)
    lepton = find_z_decays(record).visible_lepton
    # A third are tau pairs, and 64.8 % of taus decay to hadrons.
    assert (lepton == NOBODY).mean() == pytest.approx(0.648 / 3, abs=0.06)
    assert set(np.unique(np.abs(record.pdg_id[lepton[lepton != NOBODY]]))) == {11, 13}
