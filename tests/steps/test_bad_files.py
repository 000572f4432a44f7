"""Files that were skipped, as the user is told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot
from mlflow.tracking import MlflowClient

from ntuples import Branches, write_ntuple
from rootflow.config import load
from rootflow.config.data import DileptonDataConfig
from rootflow.dataset import open_dataset
from rootflow.steps import evaluate, export, main, preprocess, train
from rootflow.steps.result import StepResult, show

TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"


def test_preprocess_and_main_say_which(
    workspace: Path,
    empty_store: Path,
    branches: Branches,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (workspace / "mlflow.db").write_bytes(empty_store.read_bytes())
    (workspace / "empty.root").touch()
    good = write_ntuple(workspace / "good.root", branches)
    with uproot.recreate(workspace / "nothing.root") as file:
        file["CutBookkeeper_1_2_NOSYS"] = np.array([9.0, 50.0, 9.0]), np.arange(4.0)
    data = {
        "files": [str(good), "nothing.root", "empty.root"],
        "weights": {"negative": "keep"},
        "bad_files": "skip",
    }
    config = load(TTBAR).model_copy(update={"data": DileptonDataConfig.model_validate(data)})
    found = preprocess.run(config)
    told = {"files_skipped": 1, "files_without_tree": 1}
    rows = [{"sample": "ttbar", "file": "empty.root", "reason": "the file is empty"}]
    assert {name: found.facts[name] for name in told} == told
    assert found.tables["skipped_files"] == rows
    assert found.as_json()["skipped_files"] == rows
    show(found)
    shown = capsys.readouterr().out
    assert "skipped files" in shown
    assert "the file is empty" in shown
    tags = MlflowClient().get_run(found.run_id).data.tags
    assert {name: tags[name] for name in told} == dict.fromkeys(told, "1")
    (sample,) = open_dataset(Path(found.facts["dataset"])).manifest.samples
    assert [file.path for file in sample.skipped_files] == ["empty.root"]
    assert preprocess.directory_of(config, None).name == Path(found.facts["dataset"]).name

    def nothing(*_: Any, **__: Any) -> StepResult:
        return StepResult("nothing", "", {})

    # What follows takes no part in what is said of these.
    for step in (train, evaluate, export):
        monkeypatch.setattr(step, "run", nothing)
    monkeypatch.setattr(train, "ensure", nothing)
    monkeypatch.setattr(evaluate, "check_dataset", nothing)
    result = main.run(config)
    assert {name: result.facts[name] for name in told} == told
    assert result.tables["skipped_files"] == rows
