"""Events with two leptons in the branches of CMS NanoAOD, GeV.

Names and types are those of https://cms-xpog.docs.cern.ch/autoDoc/. The detector of the simulation
knows no identification: all that is written passes it. A trigger path fires where the two leptons
are above its thresholds.
"""

from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.simulation.leptons import FIRST_STATUS_OF_HADRONS, MeasuredLeptons
from rootflow.simulation.ntuple import RUN, Branches, float_branch, wrapped
from rootflow.simulation.observed import Observed
from rootflow.simulation.processes import layout_of
from rootflow.simulation.record import (
    ELECTRON,
    MUON,
    NEUTRINOS,
    NOBODY,
    TAU,
    TOP,
    W_BOSON,
    GeneratorRecord,
    Indices,
    last_copy,
    with_fields,
)


class Version(NamedTuple):
    """What one version of NanoAOD has that others have not.

    `jets` are numbers of jets that pass the identification; `mother`, `flags` and `small` are the
    types of places of mothers, of status flags and of small numbers.
    """

    btag: str
    jets: dict[str, tuple[float, str]]
    met: tuple[str, ...]
    filters: tuple[str, ...]
    mother: str = "int16"
    flags: str = "uint16"
    small: str = "uint8"


ENERGY_FRACTIONS: dict[str, tuple[float, str]] = {
    "chHEF": (0.6, "float32"),
    "neHEF": (0.1, "float32"),
    "neEmEF": (0.3, "float32"),
    "chEmEF": (0.0, "float32"),
    "muEF": (0.0, "float32"),
}
FILTERS = (
    "goodVertices",
    "globalSuperTightHalo2016Filter",
    "EcalDeadCellTriggerPrimitiveFilter",
    "BadPFMuonFilter",
    "BadPFMuonDzFilter",
    "hfNoisyHitsFilter",
    "eeBadScFilter",
    "ecalBadCalibFilter",
)
VERSIONS = {
    "nanoaod_v9": Version(
        btag="btagDeepFlavB",
        jets={**ENERGY_FRACTIONS, "jetId": (6, "int32"), "puId": (7, "int32")},
        met=("MET", "PuppiMET"),
        filters=(*FILTERS, "HBHENoiseFilter", "HBHENoiseIsoFilter"),
        mother="int32",
        flags="int32",
        small="int32",
    ),
    "nanoaod_v12": Version(
        btag="btagPNetB",
        jets={**ENERGY_FRACTIONS, "jetId": (6, "uint8")},
        met=("MET", "PuppiMET"),
        filters=FILTERS,
    ),
    "nanoaod_v15": Version(
        btag="btagUParTAK4B",
        jets={
            **ENERGY_FRACTIONS,
            "chMultiplicity": (15, "uint8"),
            "neMultiplicity": (10, "uint8"),
        },
        met=("PFMET", "PuppiMET"),
        filters=FILTERS,
    ),
}
# Species and least pT in GeV of the leptons that a path asks for.
TRIGGERS = {
    "IsoMu24": ((MUON, 24),),
    "Ele32_WPTight_Gsf": ((ELECTRON, 32),),
    "Mu23_TrkIsoVVL_Ele12_CaloIdL_TrackIdL_IsoVL_DZ": ((MUON, 23), (ELECTRON, 12)),
    "Mu12_TrkIsoVVL_Ele23_CaloIdL_TrackIdL_IsoVL_DZ": ((ELECTRON, 23), (MUON, 12)),
    "Ele23_Ele12_CaloIdL_TrackIdL_IsoVL": ((ELECTRON, 23), (ELECTRON, 12)),
    "Mu17_TrkIsoVVL_Mu8_TrkIsoVVL_DZ_Mass3p8": ((MUON, 17), (MUON, 8)),
}
# Bits of the status flags: reco::GenStatusFlags of CMSSW.
IS_PROMPT, IS_HARD_PROCESS, FROM_HARD_PROCESS, IS_FIRST_COPY, IS_LAST_COPY = 0, 7, 8, 12, 13
# Pythia's status numbers: of the hard process, of partons before hadronisation, of decays of
# hadrons and taus.
HARD, BEFORE_HADRONS, OF_DECAYS = (21, 29), (71, 79), 90
PARTON_PT_MIN_GEV = 15.0
# In reco::Candidate, the pseudorapidity along the beam.
LARGEST_ETA = 22756.0


def nanoaod_branches(observed: Observed) -> Branches:
    """Return the branches of all events in the version of NanoAOD that is asked for."""
    version = VERSIONS[layout_of(observed.config)]
    jets, n_events = observed.jets, observed.record.events
    working_points = len(observed.config.detector.btagging.working_points)
    one = np.full(n_events, RUN, dtype=np.uint32)
    branches: Branches = {"run": one, "luminosityBlock": one}
    branches |= _momenta("Jet", jets)
    # The share of the working points that a jet passes.
    branches[f"Jet_{version.btag}"] = float_branch((jets.quantile - 1) / working_points)
    branches["Jet_hadronFlavour"] = ak.values_astype(jets.flavour, version.small)
    for name, (value, kind) in version.jets.items():
        branches[f"Jet_{name}"] = _constant(jets.pt, value, kind)
    branches |= _lepton_branches(observed.leptons, version)
    for name in version.met:
        branches[f"{name}_pt"] = float_branch(observed.met.pt)
        branches[f"{name}_phi"] = float_branch(wrapped(observed.met.phi))
    branches |= {f"HLT_{name}": _fires(observed.leptons, name) for name in TRIGGERS}
    branches |= {f"Flag_{name}": np.ones(n_events, np.bool_) for name in version.filters}
    branches |= _particle_branches(observed.record, observed.selected, version)
    return branches | {
        "genWeight": float_branch(observed.info.weights[:, 0]),
        "Generator_id1": ak.values_astype(observed.info.id1, np.int32),
        "Generator_id2": ak.values_astype(observed.info.id2, np.int32),
    }


def _momenta(prefix: str, momenta: Any) -> Branches:
    return {
        f"{prefix}_pt": float_branch(momenta.pt),
        f"{prefix}_eta": float_branch(momenta.eta),
        f"{prefix}_phi": float_branch(wrapped(momenta.phi)),
        f"{prefix}_mass": float_branch(momenta.mass),
    }


def _constant(like: ak.Array, value: float, kind: str) -> ak.Array:
    return ak.values_astype(ak.full_like(like, value), kind)


def _lepton_branches(leptons: MeasuredLeptons, version: Version) -> Branches:
    both = with_fields(leptons.momentum, {"pdg_id": leptons.pdg_id})
    falling = ak.from_regular(both[ak.argsort(both.pt, axis=1, ascending=False)])
    electrons, muons = (falling[np.abs(falling.pdg_id) == kind] for kind in (ELECTRON, MUON))
    branches: Branches = {}
    for prefix, these in (("Electron", electrons), ("Muon", muons)):
        branches |= _momenta(prefix, these)
        branches[f"{prefix}_pdgId"] = ak.values_astype(these.pdg_id, np.int32)
        branches[f"{prefix}_charge"] = ak.values_astype(-np.sign(these.pdg_id), np.int32)
    return branches | {
        "Electron_cutBased": _constant(electrons.pt, 4, version.small),
        "Electron_deltaEtaSC": _constant(electrons.pt, 0, "float32"),
        "Muon_tightId": _constant(muons.pt, 1, "bool"),
        "Muon_pfIsoId": _constant(muons.pt, 4, "uint8"),
    }


def _fires(leptons: MeasuredLeptons, path: str) -> NDArray[np.bool_]:
    """(n,) whether a path fires, whichever lepton is which of those it asks for."""
    kinds, pt = np.abs(leptons.pdg_id), leptons.momentum.pt
    fires = np.zeros(len(pt), dtype=np.bool_)
    for order in ((0, 1), (1, 0)):
        asked = zip(order, TRIGGERS[path], strict=False)
        each = [(kinds[:, side] == kind) & (pt[:, side] > least) for side, (kind, least) in asked]
        fires |= np.all(each, axis=0)
    return fires


def _particle_branches(
    record: GeneratorRecord, selected: NDArray[np.bool_], version: Version
) -> Branches:
    """Return the branches of the generated particles, which only selected events have."""
    is_kept = kept_particles(record) & selected[record.event]
    kept = np.flatnonzero(is_kept)
    counts = np.bincount(record.event[kept], minlength=record.events)
    rank = np.cumsum(is_kept) - 1
    first = np.cumsum(counts) - counts
    mother = _nearest_kept(record, kept, is_kept)
    local = np.where(mother == NOBODY, NOBODY, rank[mother] - first[record.event[kept]])
    momentum, status = record.momentum[kept], np.abs(record.status[kept])
    decayed = np.where(status >= FIRST_STATUS_OF_HADRONS, 2, status)
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = np.clip(np.nan_to_num(momentum.eta), -LARGEST_ETA, LARGEST_ETA)
    heavy = record.is_one_of(TOP, W_BOSON)[kept]
    numbers = {
        "pt": float_branch(momentum.pt),
        "eta": float_branch(eta),
        "phi": float_branch(wrapped(momentum.phi)),
        # Of light quarks, leptons and gluons NanoAOD keeps none.
        "mass": float_branch(np.where(heavy, momentum.mass, 0)),
        "pdgId": record.pdg_id[kept].astype(np.int32),
        "genPartIdxMother": local.astype(version.mother),
        "status": np.where(record.is_final[kept], 1, decayed).astype(np.int32),
        "statusFlags": status_flags(record, kept).astype(version.flags),
    }
    return {f"GenPart_{name}": ak.unflatten(values, counts) for name, values in numbers.items()}


def kept_particles(record: GeneratorRecord) -> NDArray[np.bool_]:
    """(particles,) which are kept: much as `finalGenParticles` of CMSSW does.

    The hard process, all top quarks and W bosons, last copies of what the hard process makes,
    leptons with their mothers, neutrinos, and hard partons before hadronisation.
    """
    status = np.abs(record.status)
    charged = record.is_one_of(ELECTRON, MUON, TAU)
    partons = _is_between(status, BEFORE_HADRONS)
    partons[partons] = record.momentum[partons].pt > PARTON_PT_MIN_GEV
    hard = _is_between(status, HARD)
    kept: NDArray[np.bool_] = hard | charged | partons | record.is_one_of(TOP, W_BOSON, *NEUTRINOS)
    kept[last_copy(record, np.flatnonzero(hard))] = True
    mother = record.mother[charged]
    kept[mother[mother != NOBODY]] = True
    return kept


def status_flags(record: GeneratorRecord, particle: Indices) -> NDArray[np.int64]:
    """Return (k,) masks of five of the flags of particles; all other bits are 0.

    These are isPrompt, isHardProcess, fromHardProcess, isFirstCopy and isLastCopy.
    """
    status = np.abs(record.status)
    hard = _is_between(status, HARD)
    first = particle
    from_hard = hard[particle]
    while True:
        mother = record.mother[first]
        is_copy = (mother != NOBODY) & (record.pdg_id[mother] == record.pdg_id[first])
        if not is_copy.any():
            break
        first = np.where(is_copy, mother, first)
        from_hard = from_hard | hard[first]
    bits = {
        IS_PROMPT: status[first] < OF_DECAYS,
        IS_HARD_PROCESS: hard[particle],
        FROM_HARD_PROCESS: from_hard,
        IS_FIRST_COPY: first == particle,
        IS_LAST_COPY: last_copy(record, particle) == particle,
    }
    flags = np.zeros(len(particle), dtype=np.int64)
    for bit, is_set in bits.items():
        flags |= is_set.astype(np.int64) << bit
    return flags


def _is_between(status: NDArray[np.int32], limits: tuple[int, int]) -> NDArray[np.bool_]:
    lowest, highest = limits
    between: NDArray[np.bool_] = (lowest <= status) & (status <= highest)
    return between


def _nearest_kept(
    record: GeneratorRecord, particle: Indices, is_kept: NDArray[np.bool_]
) -> Indices:
    """Return (k,) the first ancestor of each particle that is kept, NOBODY of none."""
    mother = record.mother[particle]
    while True:
        passed = (mother != NOBODY) & ~is_kept[mother]
        if not passed.any():
            return mother
        mother = np.where(passed, record.mother[mother], mother)
