"""The branches of the ntuple, in MeV."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.simulation.leptons import Leptons
from rootflow.simulation.matching import UNMATCHED, index_by_species
from rootflow.simulation.record import Momenta, Record
from rootflow.simulation.truth import ELECTRON, MUON, TAU, TopDecays

MEV_PER_GEV = 1000.0
TRUTH_SLOTS = 6
JET_OF_QUARK, LEPTON_OF_W = (0, 3), (1, 4)
SIDES = ("t", "tbar")

Branches = dict[str, ak.Array | NDArray[np.int32] | NDArray[np.float32]]


def jet_branches(jets: ak.Array, of_quark: NDArray[np.int32]) -> Branches:
    """Return the branches of the jets and which of them are the b quarks' own (n, 2)."""
    return {
        **_kinematics("jet", jets),
        "jet_GN2v01_Continuous_quantile": jets.quantile,
        "jet_truthflav": jets.flavour,
        "event_jet_truth_idx": _slots(of_quark, JET_OF_QUARK),
    }


def lepton_branches(leptons: Leptons) -> Branches:
    """Return the branches of electrons and muons, and whose they are."""
    momentum = leptons.momentum
    both = ak.zip(
        {
            "pt": momentum.pt,
            "eta": momentum.eta,
            "phi": momentum.phi,
            "mass": momentum.mass,
            "pdg_id": leptons.pdg_id,
        },
        with_name="Momentum4D",
    )
    falling = ak.from_regular(both[ak.argsort(both.pt, axis=1, ascending=False)])
    branches: Branches = {}
    for prefix, name, species in (("el", "electron", ELECTRON), ("mu", "muon", MUON)):
        these = falling[np.abs(falling.pdg_id) == species]
        branches |= _kinematics(prefix, these)
        branches[f"{prefix}_charge"] = float_branch(-np.sign(these.pdg_id))
        branches[f"event_{name}_truth_idx"] = _slots(
            index_by_species(leptons, species), LEPTON_OF_W
        )
    return branches


def met_branches(met: Momenta, truth: Momenta) -> Branches:
    """Return the branches of the missing transverse momentum."""
    return {
        "met_met_NOSYS": mev_branch(met.pt),
        "met_phi_NOSYS": float_branch(met.phi),
        "truth_met_x": mev_branch(truth.px),
        "truth_met_y": mev_branch(truth.py),
    }


def truth_branches(record: Record, decays: TopDecays) -> Branches:
    """Return the branches of the two top decays in the generator's record."""
    branches: Branches = {}
    for side, name in enumerate(SIDES):
        for label, index in (
            (f"{name}_afterFSR", decays.top),
            (f"W_from_{name}", decays.w_boson),
            (f"b_from_{name}", decays.quark),
            (f"Wdecay1_afterFSR_from_{name}", decays.lepton),
            (f"Wdecay2_afterFSR_from_{name}", decays.neutrino),
        ):
            particle = index[:, side]
            prefix = f"Ttbar_MC_{label}"
            momentum = record.momentum[particle]
            branches |= {
                f"{prefix}_pt": mev_branch(momentum.pt),
                f"{prefix}_eta": float_branch(momentum.eta),
                f"{prefix}_phi": float_branch(momentum.phi),
                f"{prefix}_m": mev_branch(np.maximum(momentum.mass, 0)),
            }
            if label.startswith("Wdecay"):
                branches[f"{prefix}_pdgId"] = record.pdg_id[particle].astype(np.int32)
    is_tau = np.abs(record.pdg_id[decays.lepton]) == TAU
    return branches | {"truth_n_tau": is_tau.sum(axis=1, dtype=np.int32)}


def generator_branches(info: ak.Array) -> Branches:
    """Return the branches of the hard process and of the event weight."""
    return {
        "weight_mc_NOSYS": float_branch(info.weights[:, 0]),
        "PDFinfo_PDGID1": integer_branch(info.id1),
        "PDFinfo_PDGID2": integer_branch(info.id2),
    }


def _kinematics(prefix: str, objects: ak.Array) -> Branches:
    return {
        f"{prefix}_pt_NOSYS": mev_branch(objects.pt),
        f"{prefix}_eta": float_branch(objects.eta),
        f"{prefix}_phi": float_branch((objects.phi + np.pi) % (2 * np.pi) - np.pi),
        f"{prefix}_e_NOSYS": mev_branch(objects.E),
    }


def _slots(index: NDArray[np.int32], slots: tuple[int, int]) -> NDArray[np.int32]:
    filled = np.full((len(index), TRUTH_SLOTS), UNMATCHED, dtype=np.int32)
    filled[:, slots] = index
    return filled


def mev_branch(quantity: ak.Array | NDArray[np.float64]) -> ak.Array:
    """Return a branch in MeV of what is in GeV."""
    return float_branch(quantity * MEV_PER_GEV)


def float_branch(quantity: ak.Array | NDArray[np.float64]) -> ak.Array:
    """Return a branch of 32 bit floats."""
    return ak.values_astype(quantity, np.float32)


def integer_branch(quantity: ak.Array | NDArray[np.int32]) -> ak.Array:
    """Return a branch of 32 bit integers."""
    return ak.values_astype(quantity, np.int32)
