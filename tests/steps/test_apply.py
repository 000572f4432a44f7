"""What apply refuses before it reads an ntuple; the rest is in tests/scoring/test_files.py."""

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from rootflow.config import FoldsConfig
from rootflow.errors import InputError, UsageError
from rootflow.exported.contract import KEY, ReconstructionContract
from rootflow.steps import apply


def some_model(path: Path, **metadata: str) -> Path:
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch"]) for name in "xy"]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "same", values[:1], values[1:]
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(proto, metadata)
    onnx.save(proto, path)
    return path


def test_a_model_of_the_other_analysis_is_refused(tmp_path: Path) -> None:
    contract = ReconstructionContract(
        rootflow_version="0",
        analysis="ttbar",
        model="transformer",
        opset=17,
        order="",
        inputs=(),
        outputs=(),
        may_be_applied_to="",
        provenance={},
        variant="named",
        max_jets=8,
        padding="",
        folds=FoldsConfig(),
    )
    model = some_model(tmp_path / "ttbar.onnx", **{KEY: contract.model_dump_json()})
    with pytest.raises(UsageError, match="analysis ttbar; apply is for four-lepton classifiers"):
        apply.run(str(model), [tmp_path / "in.root"], tmp_path / "out.root")
    assert not (tmp_path / "out.root").exists()


def test_what_is_no_model_of_rootflow_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("no model")
    for model, fault in (
        (some_model(tmp_path / "other.onnx"), "without rootflow's metadata"),
        (text, "not a whole ONNX file"),
        (tmp_path / "absent.onnx", "no such file"),
    ):
        with pytest.raises(InputError, match=fault):
            apply.run(str(model), [tmp_path / "in.root"], tmp_path / "out.root")
