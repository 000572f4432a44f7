"""Events with two leptons of opposite charge; TopCPToolkit's branches of them, MeV."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.simulation import (
    DileptonProcessConfig,
    DileptonSelectionConfig,
    SimulationConfig,
)
from rootflow.simulation.jets import distance_to, is_within, measure_jets_and_met
from rootflow.simulation.leptons import MeasuredLeptons, dress, measure_leptons
from rootflow.simulation.nanoaod import nanoaod_branches
from rootflow.simulation.ntuple import Branches, float_branch, mev_branch, momentum_branches
from rootflow.simulation.observed import Observed
from rootflow.simulation.processes import NANOAOD, PROCESSES, layout_of
from rootflow.simulation.record import (
    ELECTRON,
    MUON,
    TAU,
    GeneratorRecord,
    Momenta,
    TopDecays,
    with_fields,
)

TRUTH_SLOTS = 6
UNMATCHED = -1
JET_OF_QUARK, LEPTON_OF_W = (0, 3), (1, 4)
SIDES = ("t", "tbar")
# How the branches of pT and energy end, and what that of the energy is called.
MOMENTUM = ("_NOSYS", "e")


def observe(
    batch: ak.Array,
    config: SimulationConfig | DileptonProcessConfig,
    rng: np.random.Generator,
) -> tuple[ak.Array, NDArray[np.bool_]]:
    """Return the branches of the selected events, and which of the n events these are.

    Truth is that of top quarks: other processes have no branch of it but the neutrinos' sum.
    """
    detector, selection = config.detector, config.selection
    record = GeneratorRecord.of(batch.prt)
    find_decays = PROCESSES[config.process].decays
    assert find_decays is not None  # noqa: S101 - a process with two leptons has them
    decays = find_decays(record)
    tops = decays if isinstance(decays, TopDecays) else None
    dressed = dress(record, decays.visible_lepton, detector.dressing_distance)
    leptons = measure_leptons(dressed, detector, rng)
    has_leptons = has_two_leptons(leptons, selection)
    jets, met, truth_met = measure_jets_and_met(
        record, has_leptons, dressed, leptons, detector, selection, rng
    )
    has_jets = ak.to_numpy(ak.num(jets)) >= selection.jets_min
    isolated = are_isolated(jets, leptons, selection.jet_lepton_distance)
    selected = has_leptons & isolated & has_jets
    observed = Observed(config, batch.info, record, tops, jets, leptons, met, truth_met, selected)
    is_nanoaod = layout_of(config).startswith(NANOAOD)
    branches = nanoaod_branches(observed) if is_nanoaod else topcptoolkit_branches(observed)
    return ak.Array(branches)[selected], selected


def topcptoolkit_branches(observed: Observed) -> Branches:
    """Return the branches of all events as TopCPToolkit writes them."""
    record, tops, jets, leptons = observed.record, observed.tops, observed.jets, observed.leptons
    branches = momentum_branches("jet", jets, *MOMENTUM) | {
        "jet_GN2v01_Continuous_quantile": jets.quantile,
        "jet_truthflav": jets.flavour,
    }
    if tops:
        quarks = record.momentum[tops.quark]
        distance = observed.config.selection.parton_jet_distance
        of_quark = match_jets(jets, quarks, distance)
        branches["event_jet_truth_idx"] = _slots(of_quark, JET_OF_QUARK)
    branches |= _lepton_branches(leptons, are_of_tops=tops is not None)
    branches |= {
        "met_met_NOSYS": mev_branch(observed.met.pt),
        "met_phi_NOSYS": float_branch(observed.met.phi),
        "truth_met_x": mev_branch(observed.truth_met.px),
        "truth_met_y": mev_branch(observed.truth_met.py),
    }
    if tops:
        branches |= _truth_branches(record, tops)
    branches |= {
        "weight_mc_NOSYS": float_branch(observed.info.weights[:, 0]),
        "PDFinfo_PDGID1": ak.values_astype(observed.info.id1, np.int32),
        "PDFinfo_PDGID2": ak.values_astype(observed.info.id2, np.int32),
    }
    return branches


def has_two_leptons(
    leptons: MeasuredLeptons, selection: DileptonSelectionConfig
) -> NDArray[np.bool_]:
    """(n,) where both leptons are found and in the acceptance."""
    accepted = is_within(leptons.momentum, selection.lepton_pt_min_gev, selection.lepton_eta_max)
    selected: NDArray[np.bool_] = (leptons.found & accepted).all(axis=1)
    return selected


def are_isolated(jets: ak.Array, leptons: MeasuredLeptons, distance: float) -> NDArray[np.bool_]:
    """(n,) where no jet is within `distance` of one of the two leptons."""
    near = [distance_to(jets, leptons.momentum[:, side]) < distance for side in (0, 1)]
    overlaps: NDArray[np.bool_] = ak.to_numpy(ak.any(near[0] | near[1], axis=1))
    return ~overlaps


def match_jets(jets: ak.Array, quarks: Momenta, distance: float) -> NDArray[np.int32]:
    """Return the jet nearest to each of two quarks (n, 2), or UNMATCHED.

    A jet that is the nearest to both belongs to the nearer one, and the other has none.
    """
    apart = [distance_to(jets, quarks[:, side]) for side in (0, 1)]
    smallest, nearest = (
        np.stack([ak.to_numpy(ak.fill_none(of(each, axis=1), none)) for each in apart], axis=-1)
        for of, none in ((ak.min, np.inf), (ak.argmin, UNMATCHED))
    )
    matched = np.where(smallest < distance, nearest, UNMATCHED).astype(np.int32)
    shared = (matched[:, 0] == matched[:, 1]) & (matched[:, 0] != UNMATCHED)
    loser = np.where(smallest[:, 0] <= smallest[:, 1], 1, 0)
    matched[shared, loser[shared]] = UNMATCHED
    return matched


def index_by_species(leptons: MeasuredLeptons, species: int) -> NDArray[np.int32]:
    """Return where each lepton (n, 2) is among the event's leptons of its species.

    They fall in pT; UNMATCHED where it is of another species.
    """
    is_it = np.abs(leptons.pdg_id) == species
    pt = leptons.momentum.pt
    is_second = is_it.all(axis=1, keepdims=True) & (pt < pt[:, ::-1])
    return np.where(is_it, is_second, UNMATCHED).astype(np.int32)


def _lepton_branches(leptons: MeasuredLeptons, are_of_tops: bool) -> Branches:
    """Return the branches of electrons and muons, and whose they are if they are of top quarks."""
    both = with_fields(leptons.momentum, {"pdg_id": leptons.pdg_id})
    falling = ak.from_regular(both[ak.argsort(both.pt, axis=1, ascending=False)])
    branches: Branches = {}
    for prefix, name, species in (("el", "electron", ELECTRON), ("mu", "muon", MUON)):
        these = falling[np.abs(falling.pdg_id) == species]
        branches |= momentum_branches(prefix, these, *MOMENTUM)
        branches[f"{prefix}_charge"] = float_branch(-np.sign(these.pdg_id))
        if are_of_tops:
            index = index_by_species(leptons, species)
            branches[f"event_{name}_truth_idx"] = _slots(index, LEPTON_OF_W)
    return branches


def _truth_branches(record: GeneratorRecord, decays: TopDecays) -> Branches:
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


def _slots(index: NDArray[np.int32], slots: tuple[int, int]) -> NDArray[np.int32]:
    filled = np.full((len(index), TRUTH_SLOTS), UNMATCHED, dtype=np.int32)
    filled[:, slots] = index
    return filled
