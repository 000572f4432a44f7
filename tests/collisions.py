"""Pseudo-collisions: four-lepton events of data/h4l as they would be in data."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from four_lepton_ntuples import read_mini
from ntuples import Branches, write_ntuple

# Events of each period. As in the ATLAS Open Data, each has runs of its own.
PERIODS = {"A": 39, "B": 156, "C": 237, "D": 400}
RUNS_OF_A_PERIOD = 5
FIRST_RUN = 298_687
SHARES = {"ZZ": 0.9, "ggH": 0.08, "VBFH": 0.02}
SAME_SIGN, ODD_FLAVOUR = 0.1, 0.1
ELECTRON, MUON = 11, 13


def write_collisions(directory: Path, simulated: Mapping[str, Sequence[Path]]) -> list[Path]:
    """Write a file of each period, and return their paths.

    No event is one of the simulation's: its azimuths are turned, its sides are swapped. Weights,
    cross sections and truth are as in the ATLAS Open Data, and so are the events that
    no simulation has: of one sign too many, or of an odd number of each flavour.
    """
    rng = np.random.default_rng(1)
    events = sum(PERIODS.values())
    branches = _mixture(simulated, events, rng)
    branches = _turned(branches, rng)
    branches |= _without_truth(branches, events)
    branches |= _spoilt(branches, rng)
    numbers = rng.choice(2**32, events, replace=False).astype(np.uint32).view(np.int32)
    period = np.repeat(np.arange(len(PERIODS)), list(PERIODS.values()))
    runs = FIRST_RUN + 100 * period + np.sort(rng.integers(0, RUNS_OF_A_PERIOD, events))
    names = ("eventNumber", "runNumber", "channelNumber")
    for name, array in zip(names, (numbers, runs, runs), strict=True):
        branches[name] = ak.Array(array.astype(np.int32))
    return [
        write_ntuple(
            directory / f"data_{name}.4lep.root",
            {branch: array[period == place] for branch, array in branches.items()},
            tree="mini",
        )
        for place, name in enumerate(PERIODS)
    ]


def _mixture(
    simulated: Mapping[str, Sequence[Path]], events: int, rng: np.random.Generator
) -> Branches:
    parts = []
    for process, share in SHARES.items():
        raw = read_mini(simulated[process][0])
        chosen = rng.choice(len(raw["eventNumber"]), round(share * events), replace=False)
        parts.append({name: array[chosen] for name, array in raw.items()})
    order = rng.permutation(events)
    return {name: ak.concatenate([part[name] for part in parts])[order] for name in parts[0]}


def _turned(branches: Branches, rng: np.random.Generator) -> Branches:
    angle = rng.uniform(-np.pi, np.pi, len(branches["met_phi"]))
    changes: Branches = {}
    for name, array in branches.items():
        if name.endswith("_phi"):
            turned = array + angle
            changes[name] = _of_type(turned - 2 * np.pi * np.round(turned / (2 * np.pi)))
        elif name.endswith("_eta"):
            changes[name] = -array
    return branches | changes


def _of_type(array: ak.Array) -> ak.Array:
    return ak.values_astype(array, "float32")


def _without_truth(branches: Branches, events: int) -> Branches:
    scales = [name for name in branches if name.startswith("scaleFactor_")]
    zero, one = (ak.Array(np.full(events, value, np.float32)) for value in (0, 1))
    return {
        **dict.fromkeys(["mcWeight", *scales], zero),
        **dict.fromkeys(["XSection", "SumWeights"], one),
        **{name: branches[name][:, :0] for name in ("lep_truthMatched", "jet_trueflav")},
    }


def _spoilt(branches: Branches, rng: np.random.Generator) -> Branches:
    fate = rng.uniform(size=len(branches["lep_type"]))
    charges, types = branches["lep_charge"], branches["lep_type"]
    first = ak.local_index(charges) == 0
    same_sign = first & (fate < SAME_SIGN)
    odd = first & _between(fate, SAME_SIGN, SAME_SIGN + ODD_FLAVOUR)
    return {
        "lep_charge": ak.values_astype(ak.where(same_sign, -charges, charges), "int32"),
        "lep_type": ak.values_astype(ak.where(odd, ELECTRON + MUON - types, types), "uint32"),
    }


def _between(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    return (values >= low) & (values < high)
