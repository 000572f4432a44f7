#!/usr/bin/env bash
# ONNX counts negative axes from the end. onnxruntime 1.20.1 to 1.31.1 (tried: 1.20.1, 1.26.0,
# 1.31.1) does not reduce an empty tensor along such an axis: of a batch of no events it gives
# another shape, without an error. 1.15.0, 1.16.3 and 1.32.0 are right.
#
# Output seen: for zeros of shape (0, 16), ReduceSum with axes [-1] and keepdims 0 gives shape
# (0, 16), and with axes [1], which is the same axis, (0,). For (2, 16) both give (2,).
# The script ends with 1 when that is no longer so.
set -euo pipefail

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/python" -m pip install --quiet --disable-pip-version-check \
  onnxruntime==1.31.1 onnx==1.23.2 numpy==2.4.6
"$place/env/bin/python" - <<'PYTHON'
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def shape_of_sum(axis: int, rows: int) -> tuple[int, ...]:
    graph = helper.make_graph(
        [helper.make_node("ReduceSum", ["x", "axes"], ["y"], keepdims=0)],
        "sum",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 16])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])],
        [numpy_helper.from_array(np.array([axis]), "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return session.run(None, {"x": np.zeros((rows, 16), np.float32)})[0].shape


seen = {(axis, rows): shape_of_sum(axis, rows) for axis in (-1, 1) for rows in (0, 2)}
for (axis, rows), shape in seen.items():
    print(f"axes [{axis}], {rows} rows: {shape}")
as_seen = {(-1, 0): (0, 16), (-1, 2): (2,), (1, 0): (0,), (1, 2): (2,)}
sys.exit(seen != as_seen)
PYTHON
