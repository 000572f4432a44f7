"""What apply refuses before it reads an ntuple; the rest is in tests/scoring/test_files.py."""

from pathlib import Path

import onnx
import pytest

from rootflow.errors import InputError, UsageError
from rootflow.steps import apply
from sealed_files import sealed_file, some_proto


def test_a_model_of_the_other_analysis_is_refused(tmp_path: Path) -> None:
    model = sealed_file(tmp_path / "ttbar.onnx")
    with pytest.raises(UsageError, match="analysis ttbar; apply is for four-lepton classifiers"):
        apply.run(str(model), [tmp_path / "in.root"], tmp_path / "out.root")
    assert not (tmp_path / "out.root").exists()


def test_what_is_no_model_of_rootflow_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("no model")
    foreign = tmp_path / "other.onnx"
    onnx.save(some_proto(), foreign)
    for model, fault in (
        (foreign, "without rootflow's metadata"),
        (text, "not a whole ONNX file"),
        (tmp_path / "absent.onnx", "no such file"),
    ):
        with pytest.raises(InputError, match=fault):
            apply.run(str(model), [tmp_path / "in.root"], tmp_path / "out.root")
