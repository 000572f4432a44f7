"""What is around a lepton."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.detector import IsolationConfig, TracksConfig
from rootflow.simulation.jets import is_measured_in_jets
from rootflow.simulation.leptons import DressedLeptons
from rootflow.simulation.record import GeneratorRecord
from rootflow.simulation.truth import ELECTRON, MUON

# Charged particles that live long enough to leave a track: PDG numbers.
PION, KAON, PROTON = 211, 321, 2212
SIGMA_PLUS, SIGMA_MINUS, XI_MINUS, OMEGA_MINUS = 3222, 3112, 3312, 3334
CHARGED = (ELECTRON, MUON, PION, KAON, PROTON, SIGMA_PLUS, SIGMA_MINUS, XI_MINUS, OMEGA_MINUS)


def ptcone(
    leptons: ak.Array,
    record: GeneratorRecord,
    dressed: DressedLeptons,
    config: IsolationConfig,
    tracks: TracksConfig,
) -> ak.Array:
    """Return the sum of the pT of charged particles around each lepton, GeV."""
    charged = record.is_final & record.is_one_of(*CHARGED)
    momentum = record.momentum[charged]
    charged[charged] = (momentum.pt > config.track_pt_min_gev) & (
        np.abs(momentum.eta) < tracks.eta_max
    )
    return _sum_around(leptons, charged, record, dressed, config.track_distance)


def etcone(
    leptons: ak.Array,
    record: GeneratorRecord,
    dressed: DressedLeptons,
    config: IsolationConfig,
    eta_max: float,
    rng: np.random.Generator,
) -> ak.Array:
    """Return the transverse momentum in the calorimeters around each lepton, GeV.

    That of all particles but muons and neutrinos, and noise.
    """
    nobody = np.zeros(len(record.pdg_id), dtype=bool)
    seen = is_measured_in_jets(record, nobody, eta_max)
    around = _sum_around(leptons, seen, record, dressed, config.calorimeter_distance)
    counts = ak.num(leptons)
    noise = config.calorimeter_noise_gev * rng.standard_normal(int(ak.sum(counts)))
    return around + ak.unflatten(noise, counts)


def _sum_around(
    leptons: ak.Array,
    counted: NDArray[np.bool_],
    record: GeneratorRecord,
    dressed: DressedLeptons,
    distance: float,
) -> ak.Array:
    """Sum pT, but that of the lepton itself and of the photons that are measured with it."""
    with_leptons = ak.to_numpy(ak.num(leptons) > 0)
    counted = counted & with_leptons[record.event]
    particles = record.by_event(counted)
    owner = ak.unflatten(dressed.owner[counted], ak.num(particles))
    near = leptons[:, :, np.newaxis].deltaR(particles[:, np.newaxis, :]) < distance
    others = leptons.column[:, :, np.newaxis] != owner[:, np.newaxis, :]
    pt = ak.where(near & others, particles.pt[:, np.newaxis, :], 0.0)
    return ak.sum(pt, axis=2)
