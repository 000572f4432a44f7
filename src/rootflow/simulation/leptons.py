"""Electrons and muons as the detector sees them, and their tracks."""

from typing import NamedTuple

import numpy as np
import vector
from numpy.typing import NDArray

from rootflow.config.detector import DetectorConfig, ElectronsConfig, MuonsConfig, TracksConfig
from rootflow.simulation.record import (
    ELECTRON,
    MUON,
    NOBODY,
    TAU,
    GeneratorRecord,
    Indices,
    Momenta,
)

PHOTON = 22
# Pythia's status numbers from 80 on are of hadronisation and decays: below, it is radiation.
FIRST_STATUS_OF_HADRONS = 80
GEV_PER_TEV = 1000.0
# GeV, PDG.
ELECTRON_MASS = 0.000511
MUON_MASS = 0.10566


def find_leptons(record: GeneratorRecord, pt_min: float) -> Indices:
    """Return the final electrons and muons above `pt_min` GeV, (n, most of one event).

    NOBODY fills the rows of events that have fewer.
    """
    lepton = np.flatnonzero(record.is_final & record.is_one_of(ELECTRON, MUON))
    lepton = lepton[record.momentum[lepton].pt > pt_min]
    event = record.event[lepton]
    counts = np.bincount(event, minlength=record.events)
    column = np.arange(len(lepton)) - (np.cumsum(counts) - counts)[event]
    found = np.full((record.events, max(int(counts.max()), 1)), NOBODY)
    found[event, column] = lepton
    return found


def is_prompt(record: GeneratorRecord, lepton: Indices) -> NDArray[np.bool_]:
    """Return where a lepton is from a boson, or from a tau that is, and from no hadron."""
    born_hard = record.status < FIRST_STATUS_OF_HADRONS
    mother = record.mother[lepton]
    # A tau has decayed: its status is negative, that of a boson's tau above -80.
    of_tau = (np.abs(record.pdg_id[mother]) == TAU) & (
        -record.status[mother] < FIRST_STATUS_OF_HADRONS
    )
    prompt: NDArray[np.bool_] = (lepton != NOBODY) & (born_hard[lepton] | of_tau)
    return prompt


class DressedLeptons(NamedTuple):
    """Leptons with the photons around them: of ttbar two, that of t and that of tbar.

    `momentum` (n, leptons) GeV and `pdg_id` (n, leptons), 0 where there is none; `owner`
    (particles,) which lepton of its event a lepton or photon is part of, else NOBODY.
    """

    momentum: Momenta
    pdg_id: NDArray[np.int32]
    owner: NDArray[np.int64]


def dress(record: GeneratorRecord, lepton: Indices, distance: float) -> DressedLeptons:
    """Add the radiated photons within `distance` in dR to each lepton; two never share one."""
    there = lepton != NOBODY
    bare = record.momentum[lepton]
    photon = np.flatnonzero(
        (record.pdg_id == PHOTON) & record.is_final & (record.status < FIRST_STATUS_OF_HADRONS)
    )
    of_event = record.event[photon]
    apart = bare[of_event].deltaR(record.momentum[photon, np.newaxis])
    apart[~there[of_event]] = np.inf
    nearest = apart.argmin(axis=-1)
    close = apart.min(axis=-1, initial=np.inf) < distance
    dressed = {}
    for component in ("px", "py", "pz", "E"):
        total = np.array(getattr(bare, component))
        radiated = getattr(record.momentum[photon[close]], component)
        np.add.at(total, (of_event[close], nearest[close]), radiated)
        dressed[component] = total
    owner = np.full(len(record.pdg_id), NOBODY)
    owner[photon[close]] = nearest[close]
    owner[lepton[there]] = np.nonzero(there)[1]
    return DressedLeptons(
        momentum=vector.array(dressed),
        pdg_id=np.where(there, record.pdg_id[lepton], 0),
        owner=owner,
    )


class MeasuredLeptons(NamedTuple):
    """The measured leptons, (n, leptons) each: momenta in GeV, PDG numbers (0 where there is none).

    `found` says which of them are identified.
    """

    momentum: Momenta
    pdg_id: NDArray[np.int32]
    found: NDArray[np.bool_]


def measure_leptons(
    dressed: DressedLeptons, detector: DetectorConfig, rng: np.random.Generator
) -> MeasuredLeptons:
    """Return the leptons with the detector's resolution and efficiency."""
    true, is_electron = dressed.momentum, np.abs(dressed.pdg_id) == ELECTRON
    electrons, muons = detector.electrons, detector.muons
    resolution = np.where(
        is_electron, electron_resolution(true.E, electrons), muon_resolution(true.pt, muons)
    )
    angle = np.where(is_electron, electrons.angle, muons.angle)
    spread = rng.standard_normal((3, *is_electron.shape))
    efficiency = np.where(is_electron, electrons.efficiency, muons.efficiency)
    measured = vector.array(
        {
            "pt": true.pt * np.maximum(1 + resolution * spread[0], 0),
            "eta": true.eta + angle * spread[1],
            "phi": true.phi + angle * spread[2],
            "mass": np.where(is_electron, ELECTRON_MASS, MUON_MASS),
        }
    )
    is_found = rng.random(is_electron.shape) < efficiency
    return MeasuredLeptons(measured, dressed.pdg_id, is_found & (dressed.pdg_id != 0))


def electron_resolution(
    energy: NDArray[np.float64], config: ElectronsConfig
) -> NDArray[np.float64]:
    """Return sigma(E)/E for energies in GeV."""
    return np.hypot(config.stochastic / np.sqrt(energy), config.constant)


def muon_resolution(pt: NDArray[np.float64], config: MuonsConfig) -> NDArray[np.float64]:
    """Return sigma(pT)/pT for pT in GeV."""
    return np.hypot(config.constant, config.linear_per_tev * pt / GEV_PER_TEV)


def measure_impact_parameters(
    momentum: Momenta, vertex: NDArray[np.float64], config: TracksConfig, rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """Return d0, d0_resolution and z0 of leptons as measured, (n,) mm, from the collision.

    `momentum` (n,) is in GeV, `vertex` (n, 3) where each is produced, x, y, z in mm. The tracks are
    straight: over the millimetres that hadrons fly, the bending of a lepton of some GeV is much
    below the resolution. With the sign of the perigee parameters, d0 = y cos(phi) - x sin(phi), z0
    = z - (x cos(phi) + y sin(phi)) cot(theta).
    """
    x, y, z = vertex.T
    cosine, sine = np.cos(momentum.phi), np.sin(momentum.phi)
    sinh_eta = np.sinh(momentum.eta)
    d0_resolution = config.d0_at_high_pt_mm * np.hypot(1, config.d0_pt_gev / momentum.pt)
    z0_resolution = (
        config.z0_sin_theta_at_high_pt_mm
        * np.hypot(1, config.z0_sin_theta_pt_gev / momentum.pt)
        * np.cosh(momentum.eta)
    )
    spread = rng.standard_normal((2, len(x)))
    return {
        "d0": y * cosine - x * sine + d0_resolution * spread[0],
        "d0_resolution": d0_resolution,
        "z0": z - (x * cosine + y * sine) * sinh_eta + z0_resolution * spread[1],
    }
