"""The shipped configurations with few events, small networks and few replicas."""

from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from ntuples import write_ntuple
from rootflow.config import Config, change, load
from rootflow.dataset import Dataset
from rootflow.formats import find_files
from small_datasets import build

PROJECT = Path(__file__).parents[1]
# Events of each of the two files of a sample.
EVENTS = {
    "ttbar": (0, 300, 420),
    "ww": (0, 40, 60),
    "ggH": (0, 400, 500),
    "VBFH": (0, 60, 100),
    "ZZ": (0, 250, 320),
}
OF_FOUR_LEPTONS = {"ggH", "VBFH", "ZZ"}
MAP = "base: atlas_open_data\ntriggers: [trigM]\n"
NEUTRINOS = "nuflows_nu_out_NOSYS"
FEW: dict[str, dict[str, Any]] = {
    "ttbar": {"data.files": ["{folder}/ttbar_0.root"]},
    "h4l": {
        "data.samples": {
            "ggH": {"label": "signal", "files": ["{folder}/ggH_0.root"]},
            "VBFH": {"label": "signal", "files": ["{folder}/VBFH_0.root"]},
            "ZZ": {"label": "background", "files": ["{folder}/ZZ_0.root"]},
        }
    },
    "dilepton": {
        "data.samples": {
            "ttbar": {"label": "signal", "files": ["{folder}/ttbar_0.root"]},
            "ww": {"label": "background", "files": ["{folder}/ww_0.root"]},
        }
    },
}


# Models that take no time.
SMALLEST: dict[str, dict[str, Any]] = {
    "ttbar": {
        "model": {"architecture": "feed_forward", "width": 8, "depth": 1},
        "training.epochs": 1,
    },
    "h4l": {
        "model": {"architecture": "feed_forward", "width": 4, "depth": 1},
        "training.epochs": 1,
        "data.folds.count": 2,
        "evaluation.methods": [],
    },
}


def small(analysis: str, values: Mapping[str, Any] | None = None) -> Config:
    """Return the shipped configuration of an analysis with other values at some paths."""
    return change(_shipped(analysis), values or {})


def few(analysis: str, folder: Path, values: Mapping[str, Any] | None = None) -> Config:
    """Return that with the samples that `write_samples` has written to a folder."""
    return small(analysis, inside(folder, {**FEW[analysis], **(values or {})}))


def dataset_of(config: Config, directory: Path) -> Dataset:
    """Return the dataset of a configuration that names its files."""
    samples = (
        {"ttbar": config.data.files}
        if not config.data.samples
        else {name: sample.files for name, sample in config.data.samples.items()}
    )
    files = {name: find_files(patterns, "") for name, patterns in samples.items()}
    return build(config.data, files, directory)


def of_kind(path: str) -> tuple[str, str]:
    """Return the kind of block that a setting is of, empty without one, and its path."""
    head, bracket, rest = path.partition("[")
    kind, _, name = rest.partition("]")
    return kind, head + name if bracket else path


@cache
def _shipped(analysis: str) -> Config:
    return load(PROJECT / "configs" / f"{analysis}.yaml")


def write_samples(folder: Path) -> None:
    """Write the first shipped events of each sample, as two files of different length, and a map.

    Events of the first are there again in another, and one file is empty.

    Those of ttbar also have reconstructed neutrinos, of any momenta.
    """
    (folder / "h4l.yaml").write_text(MAP)
    (folder / "empty.root").touch()
    random = np.random.default_rng(1)
    for name, edges in EVENTS.items():
        tree = "mini" if name in OF_FOUR_LEPTONS else "reco"
        [path] = (PROJECT / "data").glob(f"*/{name}_s*.root")
        with uproot.open(path) as file:
            parts = {str(number): part for number, part in enumerate(pairwise(edges))}
            middle, end = edges[1] // 2, edges[1]
            for part, (start, stop) in {**parts, "again": (middle, end)}.items():
                branches = dict(file[tree].arrays(entry_start=start, entry_stop=stop, how=dict))
                if name == "ttbar":
                    momenta = random.normal(0, 60, (stop - start, 6))
                    branches[NEUTRINOS] = ak.from_regular(momenta.astype(np.float32))
                write_ntuple(folder / f"{name}_{part}.root", branches, tree)


def inside(folder: Path, value: Any) -> Any:
    """Return a value in which `{folder}` is replaced."""
    if isinstance(value, str):
        return value.replace("{folder}", str(folder))
    if isinstance(value, Mapping):
        return {name: inside(folder, each) for name, each in value.items()}
    if isinstance(value, list):
        return [inside(folder, each) for each in value]
    return value
