import numpy as np
import pytest
import vector

from rootflow.config.detector import DetectorConfig, ElectronsConfig, MuonsConfig, TracksConfig
from rootflow.config.simulation import GeneratorConfig, SimulationConfig
from rootflow.simulation.chunk import Generator
from rootflow.simulation.leptons import (
    DressedLeptons,
    dress,
    electron_resolution,
    find_leptons,
    is_prompt,
    measure_impact_parameters,
    measure_leptons,
    muon_resolution,
)
from rootflow.simulation.record import NOBODY, GeneratorRecord, TopDecays, find_top_decays

MANY = 20_000


def _dressed(pdg_id: int, pt: float) -> DressedLeptons:
    ones = np.ones((MANY, 2))
    momentum = vector.array({"pt": pt * ones, "eta": 0.5 * ones, "phi": ones, "mass": 0 * ones})
    species = np.broadcast_to(np.array([-pdg_id, pdg_id], dtype=np.int32), (MANY, 2))
    return DressedLeptons(momentum, species, np.zeros(0, dtype=np.int64))


def test_resolutions_are_the_published_ones() -> None:
    # 2008 JINST 3 S08003, table 1.1: 10 %/sqrt(E) (+) 0.7 %, and 10 % at 1 TeV.
    at_100 = electron_resolution(np.array([100.0]), ElectronsConfig())[0]
    assert at_100 == pytest.approx(np.sqrt(0.01**2 + 0.007**2))
    assert muon_resolution(np.array([1000.0]), MuonsConfig())[0] == pytest.approx(0.10, abs=0.002)
    assert muon_resolution(np.array([10.0]), MuonsConfig())[0] == pytest.approx(0.017, abs=0.0005)


@pytest.mark.parametrize(("pdg_id", "sigma"), [(11, 0.0149), (13, 0.0177)])
def test_resolution_and_efficiency_are_measured_as_configured(
    pdg_id: int, sigma: float, rng: np.random.Generator
) -> None:
    detector = DetectorConfig()
    leptons = measure_leptons(_dressed(pdg_id, 50.0), detector, rng)
    # sigma: 10 %/sqrt(56.4) (+) 0.7 %; 1.7 % (+) 10 % x 0.05.
    spread = (leptons.momentum.pt / 50).std()
    assert spread == pytest.approx(sigma, abs=4 * sigma / np.sqrt(4 * MANY) + 5e-5)
    assert leptons.momentum.pt.mean() == pytest.approx(50, rel=4 * sigma / np.sqrt(2 * MANY))
    assert leptons.momentum.eta.std() == pytest.approx(0.0005, rel=0.02)
    efficiency = {11: detector.electrons, 13: detector.muons}[pdg_id].efficiency
    error = np.sqrt(efficiency * (1 - efficiency) / (2 * MANY))
    assert leptons.found.mean() == pytest.approx(efficiency, abs=4 * error)


def test_dressing_recovers_radiated_photons(record: GeneratorRecord, decays: TopDecays) -> None:
    bare = record.momentum[decays.visible_lepton]
    dressed = dress(record, decays.visible_lepton, 0.1)
    born = record.momentum[decays.lepton]
    assert (dressed.momentum.E >= bare.E - 1e-9).all()
    assert (dressed.momentum.E > bare.E + 1).sum() > 5
    lost_bare = np.abs(1 - bare.E / born.E).mean()
    lost_dressed = np.abs(1 - dressed.momentum.E / born.E).mean()
    assert lost_dressed < 0.6 * lost_bare
    constituents = dressed.owner != NOBODY
    assert constituents[decays.visible_lepton].all()
    assert record.is_one_of(11, 13, 22)[constituents].all()


def test_without_a_distance_nothing_is_added(record: GeneratorRecord, decays: TopDecays) -> None:
    dressed = dress(record, decays.visible_lepton, 0.0)
    np.testing.assert_array_equal(dressed.momentum.E, record.momentum[decays.visible_lepton].E)
    assert (dressed.owner != NOBODY).sum() == 400


def test_all_leptons_of_each_event_are_found(record: GeneratorRecord) -> None:
    leptons = find_leptons(record, 5.0)
    hard = (
        record.is_final
        & record.is_one_of(11, 13)
        & (np.hypot(record.momentum.px, record.momentum.py) > 5.0)
    )
    for event, row in enumerate(leptons):
        expected = np.flatnonzero(hard & (record.event == event))
        np.testing.assert_array_equal(row[row != NOBODY], expected)


def test_an_event_without_leptons_has_an_empty_row(record: GeneratorRecord) -> None:
    assert (find_leptons(record, 6500.0) == NOBODY).all()


def test_leptons_of_bosons_are_prompt(record: GeneratorRecord, decays: TopDecays) -> None:
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
    record = GeneratorRecord.of(Generator(SimulationConfig(generator=config), 2).events(100).prt)
    decays = find_top_decays(record)
    is_tau = np.abs(record.pdg_id[decays.lepton]) == 15
    visible = decays.visible_lepton[is_tau & (decays.visible_lepton != NOBODY)]
    assert len(visible) > 10
    assert is_prompt(record, visible).all()


EXACT = TracksConfig(d0_at_high_pt_mm=1e-12, z0_sin_theta_at_high_pt_mm=1e-12)


def test_impact_parameters_are_those_of_the_nearest_point_of_the_line(
    rng: np.random.Generator,
) -> None:
    count = 50
    vertex = rng.normal(0, 5, (count, 3))
    momentum = vector.array(
        {
            "pt": rng.uniform(5, 50, count),
            "eta": rng.uniform(-2.5, 2.5, count),
            "phi": rng.uniform(-np.pi, np.pi, count),
            "mass": np.zeros(count),
        }
    )
    measured = measure_impact_parameters(momentum, vertex, EXACT, rng)
    # Independently: minimise the transverse distance along the line vertex + s p.
    direction = np.stack([momentum.px, momentum.py, momentum.pz], axis=-1)
    along = -(vertex[:, :2] * direction[:, :2]).sum(axis=1) / (direction[:, :2] ** 2).sum(axis=1)
    nearest = vertex + along[:, np.newaxis] * direction
    np.testing.assert_allclose(
        np.abs(measured["d0"]), np.hypot(nearest[:, 0], nearest[:, 1]), atol=1e-9
    )
    np.testing.assert_allclose(measured["z0"], nearest[:, 2], atol=1e-9)


@pytest.mark.parametrize(("pt", "sigma"), [(1000.0, 0.010), (14.0, 0.0141)])
def test_resolutions_of_tracks_are_the_published_ones(
    pt: float, sigma: float, rng: np.random.Generator
) -> None:
    # 2008 JINST 3 S08003: 10 um x (1 (+) 14 GeV / pT), 91 um for z0 sin(theta) at high pT.
    count = 20_000
    ones = np.ones(count)
    momentum = vector.array({"pt": pt * ones, "eta": ones, "phi": ones, "mass": 0 * ones})
    measured = measure_impact_parameters(momentum, np.zeros((count, 3)), TracksConfig(), rng)
    np.testing.assert_allclose(measured["d0_resolution"], sigma, rtol=0.005)
    assert (measured["d0"] / measured["d0_resolution"]).std() == pytest.approx(1, abs=0.02)
    z0_sin_theta = measured["z0"] / np.cosh(1.0)
    assert z0_sin_theta.std() == pytest.approx(0.091 * np.hypot(1, 2.3 / pt), rel=0.02)
