"""Events of TopCPToolkit's branches, written again as NanoAOD has them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from ntuples import Branches

# Bits of GenPart_statusFlags: isPrompt, isHardProcess, fromHardProcess, isFirstCopy, isLastCopy.
HARD = sum(2**bit for bit in (0, 7, 8, 12, 13))
FLAGS = (
    "goodVertices",
    "globalSuperTightHalo2016Filter",
    "HBHENoiseFilter",
    "HBHENoiseIsoFilter",
    "EcalDeadCellTriggerPrimitiveFilter",
    "BadPFMuonFilter",
    "BadPFMuonDzFilter",
    "eeBadScFilter",
)
# Of a quark that no jet is near.
FAR_ETA = 9.0
TOP, B, W = 6, 5, 24


def write_nanoaod(path: Path, branches: Branches) -> Path:
    """Write what NanoAOD v9 keeps of the events, and return the path.

    Energies become masses, of float32 as all numbers are. All objects pass their identification. A
    b quark is where its jet is, far away where it has none.
    """
    count = len(branches["eventNumber"])
    jet = _momenta(branches, "jet", "jet_pt_NOSYS", "jet_e_NOSYS")
    every = ak.ones_like(branches["jet_eta"], dtype=np.int32)
    collections: dict[str, Mapping[str, Any]] = {
        "Jet": {
            **jet,
            "btagDeepFlavB": branches["jet_GN2v01_Continuous_quantile"],
            "jetId": 6 * every,
            "puId": 7 * every,
        },
        "Electron": _leptons(branches, "el", 11)
        | {"cutBased": 4, "deltaEtaSC": -branches["el_eta"]},
        "Muon": {**_leptons(branches, "mu", 13), "tightId": True, "pfIsoId": 4},
        "GenPart": _particles(branches),
    }
    one = np.ones(count, np.int32)
    events: dict[str, Any] = {
        "run": one,
        "luminosityBlock": one,
        "event": np.asarray(branches["eventNumber"]).astype(np.uint64),
        "genWeight": np.asarray(branches["weight_mc_NOSYS"]),
        "MET_pt": np.asarray(branches["met_met_NOSYS"] / np.float32(1000)),
        "MET_phi": np.asarray(branches["met_phi_NOSYS"]),
        **{f"Flag_{name}": np.ones(count, np.bool_) for name in FLAGS},
        **{name: ak.zip(_all_lists(fields)) for name, fields in collections.items()},
    }
    with uproot.recreate(path) as file:
        types = {name: ak.type(array).content for name, array in events.items()}
        tree = file.mktree("Events", types, counter_name=lambda name: f"n{name}")
        tree.extend(events)
        runs = {"genEventSumw": np.array([float(np.sum(events["genWeight"]))])}
        file.mktree("Runs", {"genEventSumw": "float64"}).extend(runs)
    return path


def _all_lists(fields: Mapping[str, Any]) -> dict[str, Any]:
    like = fields["eta"]
    return {
        name: value
        if isinstance(value, ak.Array)
        else ak.values_astype(ak.full_like(like, value), np.bool_ if value is True else np.int32)
        for name, value in fields.items()
    }


def _momenta(branches: Branches, kind: str, pt: str, energy: str) -> dict[str, Any]:
    gev = {"pt": branches[pt] / np.float32(1000), "energy": branches[energy] / np.float32(1000)}
    angles = {name: branches[f"{kind}_{name}"] for name in ("eta", "phi")}
    momentum = ak.zip({**angles, **{name: ak.values_astype(gev[name], np.float64) for name in gev}})
    squared = momentum.energy**2 - (momentum.pt * np.cosh(momentum.eta)) ** 2
    mass = np.sqrt(ak.where(squared > 0, squared, 0))
    return {"pt": gev["pt"], **angles, "mass": ak.values_astype(mass, np.float32)}


def _leptons(branches: Branches, kind: str, code: int) -> dict[str, Any]:
    momenta = _momenta(branches, kind, f"{kind}_pt_NOSYS", f"{kind}_e_NOSYS")
    pdg_id = ak.values_astype(-code * branches[f"{kind}_charge"], np.int32)
    return {**momenta, "pdgId": pdg_id}


def _particles(branches: Branches) -> dict[str, ak.Array]:
    """Return t, b, W and its two products, and the same of the tbar, of each event."""
    found: list[dict[str, NDArray[Any]]] = []
    mothers: list[int] = []
    for sign, top, place in ((1, "t", 0), (-1, "tbar", 3)):
        first = len(found)
        momentum = {
            name: np.asarray(branches[f"Ttbar_MC_{top}_afterFSR_{name}"])
            for name in ("pt", "eta", "phi", "m")
        }
        found.append(_particle(sign * TOP, momentum))
        found.append(_particle(sign * B, _quark(branches, place)))
        found.append(_particle(sign * W, momentum))
        mothers += [-1, first, first]
        for product in (1, 2):
            prefix = f"Ttbar_MC_Wdecay{product}_afterFSR_from_{top}_"
            own = {name: np.asarray(branches[prefix + name]) for name in ("pt", "eta", "phi")}
            found.append(_particle(np.asarray(branches[f"{prefix}pdgId"]), own))
            mothers.append(first + 2)
    count = len(found[0]["pt"])
    columns = {name: np.stack([each[name] for each in found], axis=1) for name in found[0]}
    columns["genPartIdxMother"] = np.tile(np.array(mothers, np.int32), (count, 1))
    columns["statusFlags"] = np.full((count, len(found)), HARD, np.int32)
    return {name: ak.from_regular(ak.from_numpy(values)) for name, values in columns.items()}


def _particle(pdg_id: Any, momentum: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    count = len(momentum["eta"])
    mass = momentum.get("m", np.zeros(count, np.float32)) / np.float32(1000)
    return {
        "pdgId": np.broadcast_to(np.asarray(pdg_id, np.int32), count),
        "pt": momentum["pt"] / np.float32(1000),
        "eta": momentum["eta"],
        "phi": momentum["phi"],
        "mass": mass,
    }


def _quark(branches: Branches, place: int) -> dict[str, NDArray[Any]]:
    index = ak.to_numpy(branches["event_jet_truth_idx"])[:, place]
    there = index >= 0
    counts = ak.to_numpy(ak.num(branches["jet_eta"]))
    at = (np.cumsum(counts) - counts)[there] + index[there]
    found = {"pt": np.full(len(index), 50_000, np.float32)}
    for name, lacking in (("eta", FAR_ETA), ("phi", 0.0)):
        found[name] = np.full(len(index), lacking, np.float32)
        found[name][there] = ak.to_numpy(ak.flatten(branches[f"jet_{name}"]))[at]
    return found
