"""Events with four leptons, in the branches of ATLAS Open Data, in MeV and mm."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.detector import FourLeptonDetectorConfig
from rootflow.config.simulation import FourLeptonProcessConfig
from rootflow.simulation.jets import is_measured_in_jets, is_within, measure_jets_and_met
from rootflow.simulation.leptons import (
    DressedLeptons,
    MeasuredLeptons,
    dress,
    find_leptons,
    is_prompt,
    measure_impact_parameters,
    measure_leptons,
)
from rootflow.simulation.ntuple import Branches, float_branch, mev_branch, momentum_branches
from rootflow.simulation.processes import PROCESSES
from rootflow.simulation.record import ELECTRON, MUON, GeneratorRecord, Indices, with_fields

RUN_NUMBER = 284500
SCALE_FACTORS = ("PILEUP", "ELE", "MUON", "LepTRIGGER", "BTAG", "PHOTON", "TAU", "PhotonTRIGGER")
# How the branches of pT and energy end, and what that of the energy is called.
MOMENTUM = ("", "E")
# A lepton with less than this part of the least pT does not get above it with its photons.
UNDRESSED_PT = 0.5
# Charged particles that live long enough to leave a track: PDG numbers.
PION, KAON, PROTON = 211, 321, 2212
SIGMA_PLUS, SIGMA_MINUS, XI_MINUS, OMEGA_MINUS = 3222, 3112, 3312, 3334
CHARGED = (ELECTRON, MUON, PION, KAON, PROTON, SIGMA_PLUS, SIGMA_MINUS, XI_MINUS, OMEGA_MINUS)


def observe(
    batch: ak.Array, config: FourLeptonProcessConfig, rng: np.random.Generator
) -> tuple[ak.Array, NDArray[np.bool_]]:
    """Return the branches of the selected events, and which of the n events these are."""
    detector, selection = config.detector, config.selection
    record = GeneratorRecord.of(batch.prt)
    softest = min(selection.electron_pt_min_gev, selection.muon_pt_min_gev)
    generated = find_leptons(record, UNDRESSED_PT * softest)
    dressed = dress(record, generated, detector.dressing_distance)
    measured = measure_leptons(dressed, detector, rng)
    momentum = measured.momentum
    found = measured.found & np.where(
        np.abs(measured.pdg_id) == ELECTRON,
        is_within(momentum, selection.electron_pt_min_gev, selection.electron_eta_max),
        is_within(momentum, selection.muon_pt_min_gev, selection.muon_eta_max),
    )
    selected: NDArray[np.bool_] = found.sum(axis=1) >= selection.leptons_min

    # The sums over all particles are what costs: only where there are enough leptons.
    measured = measured._replace(found=found & selected[:, np.newaxis])
    leptons = _describe(measured, dressed, generated, record, detector, rng)
    jets, met, _ = measure_jets_and_met(
        record, selected, dressed, measured, detector, selection, rng
    )
    weight = ak.to_numpy(batch.info.weights[:, 0])
    one = np.ones(len(weight), dtype=np.float32)
    process = PROCESSES[config.process]
    branches = _jet_branches(jets, len(detector.btagging.working_points))
    branches |= _lepton_branches(leptons) | {
        "met_et": mev_branch(met.pt),
        "met_phi": float_branch(met.phi),
        "mcWeight": float_branch(weight),
        **{f"scaleFactor_{name}": one for name in SCALE_FACTORS},
        "channelNumber": np.full(len(weight), process.channel_number, dtype=np.int32),
        "runNumber": np.full(len(weight), RUN_NUMBER, dtype=np.int32),
    }
    return ak.Array(branches)[selected], selected


def _describe(
    measured: MeasuredLeptons,
    dressed: DressedLeptons,
    generated: Indices,
    record: GeneratorRecord,
    detector: FourLeptonDetectorConfig,
    rng: np.random.Generator,
) -> ak.Array:
    """Return the found leptons as they fall in pT, with all that is known of them."""
    found = measured.found
    momentum, pdg_id, index = measured.momentum[found], measured.pdg_id[found], generated[found]
    tracks = measure_impact_parameters(momentum, record.vertex[index], detector.tracks, rng)
    is_electron, is_muon = (np.abs(pdg_id) == species for species in (ELECTRON, MUON))
    electrons, muons = detector.electrons, detector.muons
    tight = np.where(is_electron, electrons.tight_efficiency, muons.tight_efficiency)
    trigger = detector.trigger
    threshold = np.where(is_electron, trigger.electron_pt_min_gev, trigger.muon_pt_min_gev)
    efficiency = np.where(is_electron, trigger.electron_efficiency, trigger.muon_efficiency)
    fires = (momentum.pt > threshold) & (rng.random(len(pdg_id)) < efficiency)
    flat = with_fields(
        momentum,
        {
            "pdg_id": pdg_id,
            "column": np.nonzero(found)[1],
            "is_prompt": is_prompt(record, index),
            "is_tight": rng.random(len(pdg_id)) < tight,
            "fires_electron_trigger": fires & is_electron,
            "fires_muon_trigger": fires & is_muon,
            **tracks,
        },
    )
    leptons = ak.unflatten(flat, found.sum(axis=1))
    leptons["ptcone"] = ptcone(leptons, record, dressed, detector)
    leptons["etcone"] = etcone(leptons, record, dressed, detector, rng)
    return leptons[ak.argsort(leptons.pt, axis=1, ascending=False)]


def _lepton_branches(leptons: ak.Array) -> Branches:
    """Return the branches of the leptons and of the triggers that they fire."""
    return momentum_branches("lep", leptons, *MOMENTUM) | {
        "lep_charge": ak.values_astype(-np.sign(leptons.pdg_id), np.int32),
        "lep_type": ak.values_astype(np.abs(leptons.pdg_id), np.uint32),
        "lep_truthMatched": leptons.is_prompt,
        "lep_ptcone30": mev_branch(leptons.ptcone),
        "lep_etcone20": mev_branch(leptons.etcone),
        "lep_isTightID": leptons.is_tight,
        "lep_trackd0pvunbiased": float_branch(leptons.d0),
        "lep_tracksigd0pvunbiased": float_branch(np.abs(leptons.d0) / leptons.d0_resolution),
        "lep_z0": float_branch(leptons.z0),
        "trigE": ak.any(leptons.fires_electron_trigger, axis=1),
        "trigM": ak.any(leptons.fires_muon_trigger, axis=1),
    }


def _jet_branches(jets: ak.Array, working_points: int) -> Branches:
    """Return the branches of the jets.

    `jet_MV2c10` is the share of the working points that a jet passes, on MV2's scale of
    -1 (none) to 1 (all).
    """
    passed = (jets.quantile - 1) / working_points
    return momentum_branches("jet", jets, *MOMENTUM) | {
        "jet_trueflav": ak.values_astype(jets.flavour, np.int32),
        "jet_MV2c10": float_branch(2 * passed - 1),
    }


def ptcone(
    leptons: ak.Array,
    record: GeneratorRecord,
    dressed: DressedLeptons,
    detector: FourLeptonDetectorConfig,
) -> ak.Array:
    """Return the sum of the pT of charged particles around each lepton, GeV."""
    charged = record.is_final & record.is_one_of(*CHARGED)
    momentum = record.momentum[charged]
    isolation = detector.isolation
    charged[charged] = is_within(momentum, isolation.track_pt_min_gev, detector.tracks.eta_max)
    return _sum_around(leptons, charged, record, dressed, isolation.track_distance)


def etcone(
    leptons: ak.Array,
    record: GeneratorRecord,
    dressed: DressedLeptons,
    detector: FourLeptonDetectorConfig,
    rng: np.random.Generator,
) -> ak.Array:
    """Return the transverse momentum in the calorimeters around each lepton, GeV.

    That of all particles but muons and neutrinos, and noise.
    """
    isolation = detector.isolation
    nobody = np.zeros(len(record.pdg_id), dtype=bool)
    seen = is_measured_in_jets(record, nobody, detector.jets.particle_eta_max)
    around = _sum_around(leptons, seen, record, dressed, isolation.calorimeter_distance)
    counts = ak.num(leptons)
    noise = isolation.calorimeter_noise_gev * rng.standard_normal(int(ak.sum(counts)))
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
