"""Models whose inputs other code computed than is here."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
import uproot

from changed_sources import changed
from four_lepton_ntuples import read_mini
from ntuples import entries_of, write_ntuple
from rootflow.dataset import Events
from rootflow.dataset.event_reader import EventReader
from rootflow.dataset.readings.four_leptons import FourLeptons
from rootflow.errors import InputError
from rootflow.exported import FoldedModel
from rootflow.exported.contract import KEY
from rootflow.inference.application import Setting
from rootflow.inference.files import NOTE, apply_to_files
from rootflow.methods.exported import OnnxMethod
from rootflow.sources import code_digest
from sealed_files import sealed_file
from toy_exports import scoring_model

SHIPPED = Path(__file__).parents[2] / "data" / "h4l" / "ggH_s42_000.root"
MAP = "atlas_open_data"


@pytest.fixture(scope="module")
def ntuple(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("ntuple")
    return write_ntuple(directory / "in.root", read_mini(SHIPPED, 200), tree="mini")


@pytest.fixture(scope="module")
def events(ntuple: Path) -> Events:
    return entries_of(EventReader(FourLeptons(selection=None), MAP), ntuple)[0].events


@pytest.fixture(scope="module")
def scorer(events: Events, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.onnx"
    onnx.save(scoring_model(events, "0123"), path)
    return path


def _of_code(path: Path, scorer: Path, code: str | None) -> Path:
    """Write the model with another name of the code in its contract."""
    proto = onnx.load(scorer)
    said: dict[str, Any] = json.loads(
        next(entry.value for entry in proto.metadata_props if entry.key == KEY)
    )
    del said["code"]
    return sealed_file(path, proto, json.dumps(said | ({"code": code} if code else {})))


@pytest.mark.parametrize(
    ("code", "fault"), [("0123456789abcdef", "by code 0123456789abcdef"), (None, "does not name")]
)
@pytest.mark.parametrize("kind", [FoldedModel, OnnxMethod])
def test_they_are_refused_unless_that_is_allowed(
    kind: Any, code: str | None, fault: str, scorer: Path, tmp_path: Path
) -> None:
    path = _of_code(tmp_path / "other.onnx", scorer, code)
    with pytest.raises(InputError, match=rf"other\.onnx: the inputs .* were computed .*{fault}"):
        kind(path)
    allowed = kind(path, other_code="warn")
    assert fault in allowed.other_code
    assert code_digest("h4l", "dataset") in allowed.other_code
    assert kind(scorer).other_code is None


def _apply(package: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "rootflow", "apply", "--branch-map", MAP, *words]
    return subprocess.run(
        command, env={"PYTHONPATH": str(package.parent)}, capture_output=True, text=True
    )


def test_a_changed_formula_is_seen_by_apply(ntuple: Path, scorer: Path, tmp_path: Path) -> None:
    before = tmp_path / "before.root"
    setting = Setting((scorer,), MAP)
    assert apply_to_files(setting, [ntuple], before, origin={"sha256": "0"}).other_code is None
    with uproot.open(before) as file:
        assert "other_code" not in json.loads(file[NOTE])
    package = changed(tmp_path, ("physics/four_leptons.py", "Z_MASS_GEV = 91", "Z_MASS_GEV = 81"))
    output = tmp_path / "out.root"
    words = ["--model", str(scorer), str(ntuple), str(output)]
    refused = _apply(package, *words)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"rootflow: {scorer}: the inputs of its training were")
    assert refused.stderr.count("\n") == 1
    assert not output.exists()
    allowed = _apply(package, "--other-code", "warn", "--json", *words)
    assert allowed.returncode == 0, allowed.stderr
    here = code_digest("h4l", "dataset")
    assert f"apply: the inputs of its training were computed by code {here}" in allowed.stderr
    with uproot.open(output) as file:
        note = json.loads(file[NOTE])
    assert here in note["other_code"]
    assert note["other_code"] == json.loads(allowed.stdout)["other_code"]
