"""From generated events to what the ntuple says of those with four leptons."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.four_lepton_simulation import (
    FourLeptonDetectorConfig,
    FourLeptonProcessConfig,
    LooseLeptonsConfig,
)
from rootflow.simulation.candidates import find_leptons, is_prompt
from rootflow.simulation.four_lepton_branches import (
    jet_branches,
    lepton_branches,
    met_branches,
    process_branches,
)
from rootflow.simulation.isolation import etcone, ptcone
from rootflow.simulation.jets_and_met import measure_jets_and_met
from rootflow.simulation.leptons import DressedLeptons, Leptons, dress, measure_leptons
from rootflow.simulation.record import Record
from rootflow.simulation.selection import is_within
from rootflow.simulation.tracks import measure_impact_parameters
from rootflow.simulation.truth import ELECTRON, MUON, Indices

# A lepton with less than this part of the least pT does not get above it with its photons.
UNDRESSED_PT = 0.5


def observe_four_leptons(
    batch: ak.Array, config: FourLeptonProcessConfig, rng: np.random.Generator
) -> tuple[ak.Array, NDArray[np.bool_]]:
    """Return the branches of the selected events, and which of the n events these are."""
    detector, selection = config.detector, config.selection
    record = Record.of(batch.prt)
    softest = min(selection.electron_pt_min_gev, selection.muon_pt_min_gev)
    generated = find_leptons(record, UNDRESSED_PT * softest)
    dressed = dress(record, generated, detector.dressing_distance)
    measured = measure_leptons(dressed, detector, rng)
    measured = _accepted(measured, selection)
    selected: NDArray[np.bool_] = measured.found.sum(axis=1) >= selection.leptons_min

    # The sums over all particles are what costs: only where there are enough leptons.
    measured = Leptons(measured.momentum, measured.pdg_id, measured.found & selected[:, np.newaxis])
    leptons = _describe(measured, dressed, generated, record, detector, rng)
    jets, met, _ = measure_jets_and_met(
        record, selected, dressed, measured, detector, selection, rng
    )
    branches = (
        jet_branches(jets, detector.btagging)
        | lepton_branches(leptons)
        | met_branches(met)
        | process_branches(config.process, ak.to_numpy(batch.info.weights[:, 0]))
    )
    return ak.Array(branches)[selected], selected


def _accepted(leptons: Leptons, selection: LooseLeptonsConfig) -> Leptons:
    is_electron = np.abs(leptons.pdg_id) == ELECTRON
    accepted = np.where(
        is_electron,
        is_within(leptons.momentum, selection.electron_pt_min_gev, selection.electron_eta_max),
        is_within(leptons.momentum, selection.muon_pt_min_gev, selection.muon_eta_max),
    )
    return Leptons(leptons.momentum, leptons.pdg_id, leptons.found & accepted)


def _describe(
    measured: Leptons,
    dressed: DressedLeptons,
    generated: Indices,
    record: Record,
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
    flat = ak.zip(
        {
            "pt": momentum.pt,
            "eta": momentum.eta,
            "phi": momentum.phi,
            "mass": momentum.mass,
            "pdg_id": pdg_id,
            "column": np.nonzero(found)[1],
            "is_prompt": is_prompt(record, index),
            "is_tight": rng.random(len(pdg_id)) < tight,
            "fires_electron_trigger": fires & is_electron,
            "fires_muon_trigger": fires & is_muon,
            **tracks._asdict(),
        },
        with_name="Momentum4D",
    )
    leptons = ak.unflatten(flat, found.sum(axis=1))
    leptons["ptcone"] = ptcone(leptons, record, dressed, detector.isolation, detector.tracks)
    leptons["etcone"] = etcone(
        leptons, record, dressed, detector.isolation, detector.jets.particle_eta_max, rng
    )
    return leptons[ak.argsort(leptons.pt, axis=1, ascending=False)]
