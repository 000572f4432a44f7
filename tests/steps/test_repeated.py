"""How many events were there twice, as the user is told."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from four_lepton_ntuples import as_collisions, read_mini
from ntuples import write_ntuple
from rootflow.config import load
from rootflow.config.data import FourLeptonDataConfig
from rootflow.steps import evaluate, export, main, preprocess, train
from rootflow.steps.result import StepResult

H4L = Path(__file__).parents[2] / "data" / "h4l" / "ZZ_s42_000.root"


@pytest.fixture
def data(workspace: Path, empty_store: Path) -> dict[str, Any]:
    """Return settings of two files of collisions that have 20 events in common."""
    (workspace / "mlflow.db").write_bytes(empty_store.read_bytes())
    collisions = as_collisions(read_mini(H4L, 300), slice(200, 300))
    collisions["runNumber"] = np.full(100, 298687, dtype=np.int32)
    files = [
        write_ntuple(
            workspace / f"data_{place}.root",
            {name: array[part] for name, array in collisions.items()},
            tree="mini",
        )
        for place, part in enumerate((slice(0, 70), slice(50, 100)))
    ]
    return {
        "samples": {"data": {"label": "data", "files": list(map(str, files))}},
        "weights": {"negative": "keep", "luminosity_fb_inverse": 10},
    }


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, {"repeated_events_dropped": 20}),
        ({"repeated_events": "keep"}, {"repeated_events_kept": 20}),
    ],
)
def test_preprocess_and_main_say_how_many(
    data: dict[str, Any],
    more: dict[str, Any],
    said: dict[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = load(Path(__file__).parents[2] / "configs" / "h4l.yaml").model_copy(
        update={"data": FourLeptonDataConfig.model_validate(data | more)}
    )
    found = preprocess.run(config)
    assert {name: found.facts[name] for name in found.facts if "repeated" in name} == said
    cutflow = {row["name"]: row["events"] for row in found.tables["cutflow"]}
    assert cutflow["all events"] == 120
    assert cutflow.get("each event once") == (None if more else 100)

    def nothing(*_: Any, **__: Any) -> StepResult:
        return StepResult("nothing", "", {})

    # What follows takes no part in what is said of these.
    for step in (train, evaluate, export):
        monkeypatch.setattr(step, "run", nothing)
    monkeypatch.setattr(train, "ensure", nothing)
    monkeypatch.setattr(evaluate, "check_dataset", nothing)
    facts = main.run(config).facts
    assert {name: facts[name] for name in facts if "repeated" in name} == said
