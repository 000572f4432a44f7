"""TensorFlow operations that converters do not know, or round, made of ONNX ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

Handler = Callable[[Any, Any, str, Any], None]
VALUE = "value"
# One after the other: operation, operands.
Steps = tuple[tuple[str | float, ...], ...]
COMPOSED: dict[str, Steps] = {
    "Erfc": (("Erf", VALUE), ("Sub", 1.0, VALUE)),
    "Expm1": (("Exp", VALUE), ("Sub", VALUE, 1.0)),
    "Log": (("Log", VALUE),),  # else tf2onnx does it in float32 in graphs of float64
    "Log1p": (("Add", VALUE, 1.0), ("Log", VALUE)),
}


def _composed(steps: Steps) -> tuple[Handler, list[Any]]:
    """Return a handler for tf2onnx that does the steps."""

    def handler(graph: Any, node: Any, name: str, arguments: Any) -> None:  # noqa: ARG001 - tf2onnx calls it so
        shapes, types = node.output_shapes, node.output_dtypes
        value, result = node.input[0], node.output[0]
        graph.remove_node(node.name)
        for step, (operation, *operands) in enumerate(steps, start=1):
            names = [
                value
                if operand == VALUE
                else graph.make_const(f"{node.name}_{step}", np.float32(operand)).output[0]
                for operand in operands
            ]
            last = {"outputs": [result], "shapes": shapes, "dtypes": types}
            made = graph.make_node(operation, names, **(last if step == len(steps) else {}))
            value = made.output[0]

    return handler, []


def _where(graph: Any, node: Any, name: str, arguments: Any) -> None:  # noqa: ARG001 - tf2onnx calls it so
    """Choose with one operation: tf2onnx would multiply by 0 and 1, which NaN survives."""
    node.type = "Where"


HANDLERS: dict[str, tuple[Handler, list[Any]]] = {
    **{name: _composed(steps) for name, steps in COMPOSED.items()},
    "SelectV2": (_where, []),
}


def compose(proto: onnx.ModelProto, opset: int) -> None:
    """Replace operations that a converter left in a graph though ONNX has none such."""
    nodes = list(proto.graph.node)
    del proto.graph.node[:]
    for node in nodes:
        if node.op_type not in COMPOSED or onnx.defs.has(node.op_type, opset):
            proto.graph.node.append(node)
            continue
        value = node.input[0]
        *inner, last = COMPOSED[node.op_type]
        for step, (operation, *operands) in enumerate([*inner, last], start=1):
            names = []
            for operand in operands:
                constant = f"{node.name}_{step}"
                names.append(value if operand == VALUE else constant)
                if operand != VALUE:
                    number = numpy_helper.from_array(np.array(operand, np.float32), constant)
                    proto.graph.initializer.append(number)
            value = node.output[0] if step == len(inner) + 1 else f"{node.output[0]}_{step}"
            proto.graph.node.append(helper.make_node(str(operation), names, [value]))
