"""Events in the branches of NanoAOD: simulated, preprocessed, trained on, and answered."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot

CONFIG = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
# DeepJet's medium working point of 2018, https://btv-wiki.docs.cern.ch/ScaleFactors/UL2018/
MEDIUM = 0.2783
SETTINGS = [
    "simulation.layout=nanoaod_v9",
    "simulation.events=300",
    "simulation.events_per_chunk=150",
    "simulation.generator.multiparton_interactions=false",
    "data.files=[]",
    "data.branch_map=nanoaod_v9",
    "data.selection.btagged_jets_min=1",
    f"data.selection.btag_min={MEDIUM}",
    "data.cuts={trigger: HLT_IsoMu24 | HLT_Ele32_WPTight_Gsf | HLT_Ele27_WPTight_Gsf}",
    "model.architecture=feed_forward",
    "model.width=16",
    "training.epochs=1",
    "evaluation.methods=[delta_r, truth]",
    "evaluation.replicas=2",
    "evaluation.drawn=[]",
    "evaluation.displays=0",
    "evaluation.importance_events=0",
]


def rootflow(directory: Path, *words: str) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-m", "rootflow", *words], cwd=directory, capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr
    said: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return said


@pytest.fixture(scope="module")
def place(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("nanoaod")
    (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
    return directory


def test_from_simulation_to_answers(place: Path) -> None:
    said = rootflow(place, "main", "--config", str(CONFIG), "--json", *SETTINGS)
    assert said["metrics"]["assignment_accuracy/truth"] == 1
    [path] = place.glob("outputs/simulated/*/ttbar_*.root")
    words = ["--model", said["onnx"], "--name", "ours", "--seen-events", "score", "--json"]
    rootflow(place, "apply", *words, str(path), "answers.root")
    with uproot.open(path) as file:
        before = file["Events"].arrays()
    with uproot.open(place / "answers.root") as file:
        events = file["Events"].arrays()
    for name in before.fields:
        assert ak.array_equal(before[name], events[name]), name
    selected = ak.to_numpy(events.ours_selected)
    fires = before.HLT_IsoMu24 | before.HLT_Ele32_WPTight_Gsf
    tagged = ak.any(before.Jet_btagDeepFlavB >= np.float32(MEDIUM), axis=1)
    eta = abs(before.Electron_eta)
    in_gap = ak.any((eta > 1.4442) & (eta < 1.566), axis=1)
    np.testing.assert_array_equal(selected, fires & tagged & ~in_gap)
    assert 100 < selected.sum() < 300
    for name in ("ours_b_index", "ours_bbar_index"):
        index = ak.to_numpy(events[name])
        assert np.all((index[selected] >= 0) & (index < ak.to_numpy(before.nJet))[selected])
        assert np.all(index[~selected] == -1)
    # In GeV, as the map's jets are.
    mass = ak.to_numpy(events.ours_top_mass)[selected]
    assert 50 < np.median(mass) < 1000
