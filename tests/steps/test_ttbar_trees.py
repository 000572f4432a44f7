"""Trees that reconstruct ttbar, from ntuples to the registry and back to ntuples."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import uproot

CONFIG = Path(__file__).parents[2] / "configs" / "ttbar.yaml"
SETTINGS = [
    "model={architecture: boosted_trees, trees: 30, learning_rate: 0.2}",
    "data.folds={count: 2, held_out: all, scheme: parity}",
    "data.max_jets=4",
    "evaluation.methods=[delta_r, {method: variant, name: other, settings: {seed: 43}}, "
    "{method: ensemble, of: [model, other]}, truth]",
    "evaluation.replicas=20",
    "evaluation.drawn=[]",
    "evaluation.displays=0",
    "evaluation.importance_events=50",
]


@pytest.fixture(scope="module")
def place(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a working directory with a store."""
    directory = tmp_path_factory.mktemp("trees")
    (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
    return directory


def rootflow(place: Path, *arguments: str) -> dict[str, Any]:
    answer = subprocess.run(
        [sys.executable, "-m", "rootflow", *arguments, "--json"],
        cwd=place,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stderr
    result: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return result


@pytest.fixture(scope="module")
def chain(place: Path, small_ntuple: Path) -> dict[str, Any]:
    """Return what main says of the chain."""
    files = f"data.files=[{small_ntuple}]"
    return rootflow(place, "main", "--config", str(CONFIG), files, *SETTINGS)


def test_the_trees_stand_beside_the_methods_with_neutrinos_of_their_own(
    chain: dict[str, Any],
) -> None:
    rows = {row["method"]: row for row in chain["methods"]}
    assert set(rows) == {"boosted_trees", "delta_r", "other", "ensemble", "truth"}
    assert {rows[name]["neutrinos_of"] for name in ("other", "ensemble")} == {"other", "ensemble"}
    metrics = chain["metrics"]
    assert metrics["assignment_accuracy/boosted_trees"] > 0.6
    assert metrics["assignment_accuracy/ensemble"] > 0.6
    assert 0 < metrics["mtt_resolution/boosted_trees"] < 0.3


def test_the_files_of_both_folds_are_applied_to_ntuples(
    chain: dict[str, Any], place: Path, small_ntuple: Path
) -> None:
    assert chain["registered_training"] == [
        f"models:/ttbar_{fold}-skops/1" for fold in ("even", "odd")
    ]
    models = " ".join(str(place / path) for path in chain["onnx"])
    said = rootflow(place, "apply", "--model", models, str(small_ntuple), "applied.root")
    assert said["written"] >= said["scored"] > 1000
    with uproot.open(place / "applied.root") as file:
        assert set(said["branches"]) <= set(file["reco"].keys())
    assert (place / chain["cplusplus"]).is_dir()
