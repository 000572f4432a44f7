"""Files whose checksum is right and whose content is not."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from rootflow.config import FoldingConfig
from rootflow.errors import InputError
from rootflow.exported import FoldedModel
from rootflow.exported.contract import OnnxContract, Tensor
from sealed_files import sealed_file

EVENTS = 4


def classifier(path: Path, shape: list[Any], nodes: list[onnx.NodeProto], output: str) -> Path:
    """Write a classifier of all folds that takes x (n, 3)."""
    tensors = {
        "x": ("float32", ("batch", 3)),
        "fold": ("int64", ("batch",)),
        output: ("float32", tuple(shape)),
    }
    *inputs, said = (
        Tensor(name=name, type=kind, shape=axes, meaning="")
        for name, (kind, axes) in tensors.items()
    )
    contract = OnnxContract(
        rootflow_version="0",
        analysis="h4l",
        model="odd",
        opset=17,
        order="",
        inputs=tuple(inputs),
        outputs=(said,),
        may_be_applied_to="",
        provenance={},
        task="classification",
        padding="",
        collections=(),
        folds=FoldingConfig(count=2),
        held_out=None,
        uses={},
        branch_map="",
        selection={},
    )
    kinds = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64}
    *values, result = (
        helper.make_tensor_value_info(name, kinds[kind], axes)
        for name, (kind, axes) in tensors.items()
    )
    graph = helper.make_graph(nodes, "odd", values, [result])
    opsets = [helper.make_opsetid("", 17)]
    proto = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    return sealed_file(path, proto, contract.model_dump_json())


def summed(**more: Any) -> list[onnx.NodeProto]:
    """Return nodes that give one number for each event."""
    return [helper.make_node("ReduceMax", ["x"], ["score"], axes=[1], **more)]


def applied(path: Path) -> None:
    FoldedModel(path, other_code="warn").predict(
        {"x": np.ones((EVENTS, 3), np.float32)}, np.arange(EVENTS)
    )


def test_a_file_that_is_right_is_applied(tmp_path: Path) -> None:
    applied(classifier(tmp_path / "right.onnx", ["batch", 1], summed(), "score"))


@pytest.mark.parametrize(
    ("shape", "nodes", "output", "fault"),
    [
        (["batch", 1], [helper.make_node("Neg", ["x"], ["other"])], "other", "score is missing"),
        (["batch", "k"], summed(), "score", "only the first axis"),
        (["batch", 2], summed(), "score", "its output score is .* not"),
        (["batch", 1], [helper.make_node("Neg", ["x"], ["score"])], "score", "cannot run it|gives"),
        (
            ["batch", 1],
            [
                helper.make_node("NonZero", ["x"], ["places"]),
                helper.make_node("Cast", ["places"], ["score"], to=TensorProto.FLOAT),
            ],
            "score",
            "gives score .* for 4 events",
        ),
        (
            ["batch", 1],
            [
                helper.make_node("NonZero", ["fold"], ["places"]),
                helper.make_node("Cast", ["places"], ["some"], to=TensorProto.FLOAT),
                helper.make_node("MatMul", ["some", "x"], ["score"]),
            ],
            "score",
            "cannot run it on these events",
        ),
    ],
    ids=["missing output", "free axis", "other shape", "a lie", "other events", "while it runs"],
)
def test_what_its_content_cannot_keep_is_one_line(
    tmp_path: Path, shape: list[Any], nodes: list[onnx.NodeProto], output: str, fault: str
) -> None:
    path = classifier(tmp_path / "odd.onnx", shape, nodes, output)
    with pytest.raises(InputError, match=fault) as refused:
        applied(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)
