"""A package adds an analysis by an entry point alone, and takes it through the whole line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot
import yaml

MODULE = """
from typing import Literal

from rootflow.analyses.tasks import ClassificationAnalysis
from rootflow.config import ClassificationConfig, CollectionsDataConfig


class TauConfig(ClassificationConfig):
    analysis: Literal["htautau"]
    data: CollectionsDataConfig


class HTauTau(ClassificationAnalysis):
    name = "htautau"
    config = TauConfig

    def processes(self, config):
        return {}
"""
MAP = {
    "tree": "events",
    "event_number": "event",
    "weights": ["weight"],
    "jets": {
        "pt": {"branch": "jet_pt", "unit": "GeV"},
        "eta": "jet_eta",
        "phi": "jet_phi",
        "energy": {"branch": "jet_e", "unit": "GeV"},
    },
    "collections": {
        "taus": {
            "pt": {"branch": "tau_pt", "unit": "GeV"},
            "eta": "tau_eta",
            "phi": "tau_phi",
            "energy": {"branch": "tau_e", "unit": "GeV"},
            "extra": {"score": "tau_score"},
        }
    },
    "met": {"pt": {"branch": "met", "unit": "GeV"}, "phi": "met_phi"},
}
SETTINGS = {
    "analysis": "htautau",
    "data": {
        "branch_map": "map.yaml",
        "slots": {"jets": 4, "taus": 2},
        "objects": {"taus": {"pt_min_gev": 20.0}},
        "features": {"ht": "sum(jets.pt)"},
        "cuts": {"a good tau": "any(taus.score > 0.2)", "MET above 5 GeV": "met.pt > 5"},
        "samples": {
            "higgs": {"label": "signal", "files": ["higgs.root"], "cross_section_pb": 1.0},
            "z": {"label": "background", "files": ["z.root"], "cross_section_pb": 5.0},
        },
        "folds": {"count": 2},
        "weights": {
            "negative": "keep", "luminosity_fb_inverse": 1.0, "sum_of_weights": "as_read",
        },
    },
    "inputs": {"taus": ["pt", "score"], "jets": ["pt", "eta"], "event": ["ht"]},
    "model": {"architecture": "deep_set", "width": 8, "depth": 1},
    "training": {"epochs": 2, "batch_size": 64},
    "evaluation": {"replicas": 10, "observable": "ht", "observable_window": [0.0, 500.0]},
}  # fmt: skip


def _write(path: Path, seed: int, shift: float, events: int = 400) -> None:
    rng = np.random.default_rng(seed)
    branches: dict[str, ak.Array] = {}
    for name, most in (("jet", 5), ("tau", 3)):
        counts = rng.integers(1, most + 1, events)
        total = int(counts.sum())
        pt = rng.exponential(30.0, total) + 20.0 + shift
        eta = rng.normal(0.0, 1.0, total)
        columns = {
            "pt": pt,
            "eta": eta,
            "phi": rng.uniform(-np.pi, np.pi, total),
            "e": pt * np.cosh(eta) + 0.1,
            **({"score": rng.uniform(0.1, 1.0, total)} if name == "tau" else {}),
        }
        branches |= {
            f"{name}_{key}": ak.unflatten(values.astype(np.float32), counts)
            for key, values in columns.items()
        }
    flat = {
        "event": np.arange(events, dtype=np.uint64) + np.uint64(seed * 10_000),
        "weight": np.ones(events),
        "met": rng.exponential(40.0, events) + 2.0,
        "met_phi": rng.uniform(-np.pi, np.pi, events),
    }
    types = dict.fromkeys(branches, "var * float32")
    types |= {name: str(values.dtype) for name, values in flat.items()}
    with uproot.recreate(path) as file:
        file.mktree("events", types).extend({**branches, **flat})


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ntuples, a configuration, and a package that is found from there."""
    place = tmp_path_factory.mktemp("another")
    _write(place / "higgs.root", 1, 15.0)
    _write(place / "z.root", 2, 0.0)
    (place / "map.yaml").write_text(yaml.safe_dump(MAP))
    (place / "htautau.yaml").write_text(yaml.safe_dump(SETTINGS))
    installed = place / "site"
    information = installed / "htautau-1.0.dist-info"
    information.mkdir(parents=True)
    (installed / "htautau_rootflow.py").write_text(MODULE)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: htautau\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[rootflow.analyses]\nhtautau = htautau_rootflow:HTauTau\n"
    )
    return place


def _rootflow(place: Path, *words: str, installed: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "MLFLOW_TRACKING_URI": f"sqlite:///{place / 'mlflow.db'}",
        **({"PYTHONPATH": str(place / "site")} if installed else {}),
    }
    return subprocess.run(
        [sys.executable, "-m", "rootflow", *words],
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_it_goes_from_ntuples_to_report_export_and_apply(place: Path) -> None:
    done = _rootflow(place, "main", "--config", "htautau.yaml", "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["metrics"]["auc/deep_set"] > 0.6
    applied = _rootflow(
        place, "apply", "--model", "models:/htautau/1", "higgs.root", "scored.root", "--json"
    )
    assert applied.returncode == 0, applied.stderr
    with uproot.open(place / "scored.root") as file:
        scores = file["events"]["deep_set_score"].array(library="np")
    assert np.isfinite(scores).sum() == json.loads(applied.stdout)["selected"] > 100


def test_where_it_is_not_installed_the_known_are_listed(place: Path) -> None:
    done = _rootflow(place, "train", "--config", "htautau.yaml", installed=False)
    assert done.returncode == 2
    assert "'htautau' is none of" in done.stderr
    assert len(done.stderr.splitlines()) == 1
