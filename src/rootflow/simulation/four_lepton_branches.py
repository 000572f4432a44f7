"""The branches of ATLAS Open Data four-lepton ntuples, in MeV and mm."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.four_lepton_simulation import Process
from rootflow.config.simulation import BTaggingConfig
from rootflow.simulation.branches import Branches, float_branch, integer_branch, mev_branch
from rootflow.simulation.record import Momenta

# Data set numbers of the same processes in ATLAS Open Data.
CHANNEL_NUMBERS: dict[Process, int] = {"ggH": 345060, "VBFH": 344235, "ZZ": 363490}
RUN_NUMBER = 284500
SCALE_FACTORS = (
    "PILEUP",
    "ELE",
    "MUON",
    "LepTRIGGER",
    "BTAG",
    "PHOTON",
    "TAU",
    "PhotonTRIGGER",
)


def lepton_branches(leptons: ak.Array) -> Branches:
    """Return the branches of the leptons and of the triggers that they fire."""
    return {
        "lep_pt": mev_branch(leptons.pt),
        "lep_eta": float_branch(leptons.eta),
        "lep_phi": _phi(leptons),
        "lep_E": mev_branch(leptons.E),
        "lep_charge": integer_branch(-np.sign(leptons.pdg_id)),
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


def jet_branches(jets: ak.Array, btagging: BTaggingConfig) -> Branches:
    """Return the branches of the jets.

    `jet_MV2c10` is the share of the working points that a jet passes, on MV2's scale of
    -1 (none) to 1 (all).
    """
    passed = (jets.quantile - 1) / len(btagging.working_points)
    return {
        "jet_pt": mev_branch(jets.pt),
        "jet_eta": float_branch(jets.eta),
        "jet_phi": _phi(jets),
        "jet_E": mev_branch(jets.E),
        "jet_trueflav": integer_branch(jets.flavour),
        "jet_MV2c10": float_branch(2 * passed - 1),
    }


def met_branches(met: Momenta) -> Branches:
    """Return the branches of the missing transverse momentum."""
    return {"met_et": mev_branch(met.pt), "met_phi": float_branch(met.phi)}


def process_branches(process: Process, weight: NDArray[np.float64]) -> Branches:
    """Return the generator's weight, scale factors of one, and what names the process."""
    one = np.ones(len(weight), dtype=np.float32)
    return {
        "mcWeight": float_branch(weight),
        **{f"scaleFactor_{name}": one for name in SCALE_FACTORS},
        "channelNumber": np.full(len(weight), CHANNEL_NUMBERS[process], dtype=np.int32),
        "runNumber": np.full(len(weight), RUN_NUMBER, dtype=np.int32),
    }


def _phi(objects: ak.Array) -> ak.Array:
    return float_branch((objects.phi + np.pi) % (2 * np.pi) - np.pi)
