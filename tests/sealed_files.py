"""ONNX files with a contract and a checksum, made by hand: quick, and wrong where it is wanted."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from rootflow import checksum
from rootflow.config import FoldingConfig
from rootflow.exported.contract import KEY, OnnxContract, Tensor
from rootflow.sources import code_digest


def some_contract(**changes: Any) -> OnnxContract:
    """Return the contract of `some_proto`."""
    said: dict[str, Any] = {
        "rootflow_version": "0",
        "analysis": "ttbar",
        "code": code_digest("ttbar", "dataset"),
        "model": "sum",
        "opset": 17,
        "order": "",
        "inputs": (Tensor(name="x", type="float32", shape=("batch", 3), meaning="numbers"),),
        "outputs": (Tensor(name="y", type="float32", shape=("batch", 3), meaning="more"),),
        "may_be_applied_to": "",
        "provenance": {},
        "task": "reconstruction",
        "padding": "",
        "collections": (),
        "folds": FoldingConfig(),
        "held_out": 0,
        "uses": {},
        "branch_map": "topcptoolkit",
        "selection": {},
    }
    return OnnxContract(**said | changes)


def some_proto(**metadata: str) -> onnx.ModelProto:
    """Return y = x + (1, 2, 3)."""
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]) for name in "xy"]
    more = numpy_helper.from_array(np.float32([1, 2, 3]), "more")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "more"], ["y"])], "sum", values[:1], values[1:], [more]
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(proto, metadata)
    return proto


def sealed_file(
    path: Path, proto: onnx.ModelProto | None = None, contract: str | None = None
) -> Path:
    """Write a file with a checksum that is right, whatever else is not."""
    proto = proto or some_proto()
    text = some_contract().model_dump_json() if contract is None else contract
    helper.set_model_props(proto, {KEY: text, checksum.KEY: checksum.UNSEALED})
    path.write_bytes(checksum.seal(proto.SerializeToString()))
    return path
