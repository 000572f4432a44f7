"""The cones against sums over the particles of one event after another."""

import awkward as ak
import numpy as np
import pytest

from rootflow.config.detector import FourLeptonDetectorConfig, IsolationConfig
from rootflow.simulation.four_leptons import etcone, ptcone
from rootflow.simulation.leptons import DressedLeptons, dress, find_leptons
from rootflow.simulation.record import NOBODY, GeneratorRecord

DETECTOR = FourLeptonDetectorConfig(isolation=IsolationConfig(calorimeter_noise_gev=0.0))
CHARGED = (11, 13, 211, 321, 2212, 3112, 3222, 3312, 3334)


@pytest.fixture(scope="module")
def dressed(record: GeneratorRecord) -> DressedLeptons:
    return dress(record, find_leptons(record, 5.0), 0.1)


@pytest.fixture(scope="module")
def leptons(dressed: DressedLeptons) -> ak.Array:
    there = dressed.pdg_id != 0
    momentum = dressed.momentum[there]
    flat = {name: getattr(momentum, name) for name in ("pt", "eta", "phi", "mass")}
    columns = flat | {"column": np.nonzero(there)[1]}
    return ak.unflatten(ak.zip(columns, with_name="Momentum4D"), there.sum(axis=1))


def _sum(
    record: GeneratorRecord,
    event: int,
    lepton: ak.Record,
    counted: np.ndarray,
    own: np.ndarray,
    cone: float,
) -> float:
    here = counted & (record.event == event)
    particles = record.momentum[here]
    turn = (particles.phi - lepton.phi + np.pi) % (2 * np.pi) - np.pi
    near = np.hypot(particles.eta - lepton.eta, turn) < cone
    return float(particles.pt[near & (own[here] != lepton.column)].sum())


def test_cones_are_sums_over_the_particles_around(
    record: GeneratorRecord, dressed: DressedLeptons, leptons: ak.Array, rng: np.random.Generator
) -> None:
    tracks = ptcone(leptons, record, dressed, DETECTOR)
    energy = etcone(leptons, record, dressed, DETECTOR, rng)
    with np.errstate(divide="ignore"):
        eta, pt = np.abs(record.momentum.eta), record.momentum.pt
    is_track = record.is_final & record.is_one_of(*CHARGED) & (pt > 1) & (eta < 2.5)
    in_calorimeter = record.is_final & ~record.is_one_of(12, 13, 14, 16) & (eta < 4.9)
    for event in range(40):
        for index, lepton in enumerate(leptons[event]):
            arguments = (record, event, lepton)
            expected = _sum(*arguments, is_track, dressed.owner, 0.3)
            assert tracks[event, index] == pytest.approx(expected, abs=1e-9)
            expected = _sum(*arguments, in_calorimeter, dressed.owner, 0.2)
            assert energy[event, index] == pytest.approx(expected, abs=1e-9)


def test_leptons_of_hadrons_are_less_isolated(
    record: GeneratorRecord, dressed: DressedLeptons, leptons: ak.Array
) -> None:
    tracks = ptcone(leptons, record, dressed, DETECTOR)
    relative = ak.flatten(tracks / leptons.pt)
    index = find_leptons(record, 5.0)
    index = index[index != NOBODY]
    from_hadron = record.status[index] > 80
    assert np.median(relative[~from_hadron]) == 0
    assert np.median(relative[from_hadron]) > 0.3


def test_noise_is_as_wide_as_configured(
    record: GeneratorRecord, dressed: DressedLeptons, leptons: ak.Array, rng: np.random.Generator
) -> None:
    without = etcone(leptons, record, dressed, DETECTOR, rng)
    noisy = etcone(leptons, record, dressed, FourLeptonDetectorConfig(), rng)
    noise = ak.to_numpy(ak.flatten(noisy - without))
    assert noise.std() == pytest.approx(0.8, abs=4 * 0.8 / np.sqrt(2 * len(noise)))
