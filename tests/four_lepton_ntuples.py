"""Small ntuples and tables of four-lepton events: real ones, changed where a test wants."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import uproot
import vector
from numpy.typing import NDArray
from pyarrow import csv

from ntuples import Branches, write_ntuple

PAIRS = ("12", "13", "14", "23", "24", "34")
Table = dict[str, NDArray[Any]]
# How the names of branches begin that collisions do not have.
OF_SIMULATION = ("mcWeight", "scaleFactor", "XSection", "SumWeights")

# What a flat table has no columns for.
FLAT_SELECTION: dict[str, Any] = {
    "trigger": False,
    "ptcone30_over_pt_max": None,
    "etcone20_over_pt_max": None,
    "electron_d0_significance_max": None,
    "muon_d0_significance_max": None,
    "z0_sin_theta_max_mm": None,
}


def read_mini(path: Path, events: int | None = None) -> Branches:
    """Return the first events of an ATLAS Open Data ntuple, every branch of it."""
    with uproot.open(path) as file:
        return dict(file["mini"].arrays(entry_stop=events, how=dict))


def flat_table(branches: Mapping[str, Any], seed: int = 1) -> Table:
    """Return the events with exactly four leptons as columns in GeV, the leptons in any order.

    Weights are the events expected at 10/fb of these events' file.
    """
    leptons = {
        name: branches[f"lep_{name}"] for name in ("pt", "eta", "phi", "E", "charge", "type")
    }
    four = ak.to_numpy(ak.num(leptons["pt"]) == 4)
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(4), (four.sum(), 1)), axis=1)
    shuffled = {
        name: np.take_along_axis(ak.to_numpy(array[four]), order, axis=1)
        for name, array in leptons.items()
    }
    for name in ("pt", "E"):
        shuffled[name] = shuffled[name] / np.float32(1000)
    momenta = vector.array(
        {name: shuffled[name].astype(np.float64) for name in ("pt", "eta", "phi", "E")}
    )
    scalars = {
        name: ak.to_numpy(array)[four] for name, array in branches.items() if array.ndim == 1
    }
    weight = scalars["mcWeight"].astype(np.float64)
    for name in ("PILEUP", "ELE", "MUON", "LepTRIGGER"):
        weight *= scalars[f"scaleFactor_{name}"]
    table: Table = {
        "eventNumber": scalars["eventNumber"].astype(np.int64),
        "totalWeight": weight * 10_000 * scalars["XSection"] / scalars["SumWeights"],
        "jet_n": scalars["jet_n"].astype(np.int32),
        "lep_m_llll": (momenta[:, 0] + momenta[:, 1] + momenta[:, 2] + momenta[:, 3]).mass,
    }
    for pair in PAIRS:
        first, second = (int(slot) - 1 for slot in pair)
        table[f"lep_m_ll_{pair}"] = (momenta[:, first] + momenta[:, second]).mass
    for slot in range(4):
        for name in ("pt", "eta", "phi", "E", "charge"):
            table[f"lep{slot + 1}_{name}"] = shuffled[name][:, slot].astype(np.float64)
        table[f"lep{slot + 1}_pdgId"] = -shuffled["charge"][:, slot] * shuffled["type"][
            :, slot
        ].astype(np.int64)
    return table


def write_csv(path: Path, table: Mapping[str, NDArray[Any]]) -> Path:
    """Write columns to a CSV file, compressed as its name says, and return its path."""
    with pa.output_stream(path) as file:
        csv.write_csv(pa.table(dict(table)), file)
    return path


def write_flat_root(path: Path, table: Mapping[str, NDArray[Any]]) -> Path:
    """Write columns to the only tree of a ROOT file, and return its path."""
    with uproot.recreate(path) as file:
        file.mktree("events", {name: array.dtype for name, array in table.items()}).extend(table)
    return path


def as_collisions(branches: Mapping[str, Any], events: slice) -> Branches:
    """Return some events without what collisions do not have: weights and their scale."""
    return {
        name: array[events]
        for name, array in branches.items()
        if not name.startswith(OF_SIMULATION)
    }


def write_two_files(directory: Path, path: Path) -> list[Path]:
    """Write a fifth and the rest of a file's events to two, each with its own sum of weights."""
    branches = read_mini(path)
    fifth = len(branches["eventNumber"]) // 5
    paths = []
    for place, (events, share) in enumerate([(slice(0, fifth), 0.2), (slice(fifth, None), 0.8)]):
        chosen = {name: array[events] for name, array in branches.items()}
        chosen["SumWeights"] = chosen["SumWeights"] * np.float32(share)
        output = directory / f"{path.stem}_{place}.root"
        paths.append(write_ntuple(output, chosen, tree="mini"))
    return paths
