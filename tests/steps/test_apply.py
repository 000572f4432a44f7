"""Apply by its command, and what it refuses before it reads an ntuple."""

import json
import pickle
from pathlib import Path

import onnx
import pytest
import uproot
from click.testing import CliRunner

from rootflow.commands.apply import apply as command
from rootflow.errors import InputError, UsageError
from rootflow.exported.folds import model_files
from rootflow.steps import apply
from sealed_files import some_proto


def test_what_is_no_model_of_rootflow_is_refused(tmp_path: Path) -> None:
    text, pickled = tmp_path / "text.onnx", tmp_path / "pickled.onnx"
    text.write_text("no model")
    foreign = tmp_path / "other.onnx"
    onnx.save(some_proto(), foreign)
    pickled.write_bytes(pickle.dumps([1, 2]))
    for model, fault in (
        (foreign, "without rootflow's metadata"),
        (text, "not a whole ONNX file"),
        (pickled, "not a whole ONNX file"),
        (tmp_path / "absent.onnx", r"apply --model: .*absent\.onnx' matches no file"),
        (tmp_path, r"folds\.json: there is no such file"),
    ):
        with pytest.raises(InputError, match=fault):
            apply.run(str(model), [tmp_path / "in.root"], tmp_path / "out.root")
        assert not (tmp_path / "out.root").exists()


def test_the_command(ttbar_folds: Path, small_ntuple: Path, tmp_path: Path) -> None:
    # As `mlflow run` gives it: every option is there, and several words are one.
    files = " ".join(map(str, model_files([ttbar_folds])))
    arguments = ["--model", files, "--branch-map", "", "--name", "", "--seen-events", "refuse"]
    arguments += ["--keep", "eventNumber jet_*", "--drop", "", "--workers", "1", "--json"]
    answer = CliRunner().invoke(command, [*arguments, str(small_ntuple), str(tmp_path / "out")])
    assert answer.exit_code == 0, answer.output
    said = json.loads(answer.stdout)
    assert said["run_id"] == "run-of-the-training"
    assert said["entries"] == said["written"] >= said["selected"] == said["scored"] > 1000
    assert [len(each) for each in said["sha256"]] == [64, 64]
    with uproot.open(tmp_path / "out" / small_ntuple.name) as file:
        names = set(file["reco"].keys())
        note = json.loads(file["rootflow_apply"])
    assert {"eventNumber", "jet_eta", *said["branches"]} <= names
    assert not {"met_phi_NOSYS", "el_eta"} & names
    assert note["unit"] == "MeV"
    assert note["models_of_folds"] == [0, 1]
    assert note["sha256"] == said["sha256"]
    assert note["scored"] == said["scored"]


def test_words_whose_quotes_are_not_in_pairs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No closing quotation"):
        apply.run("'a", [tmp_path / "in.root"], tmp_path / "out.root")
