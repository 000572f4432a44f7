"""TensorFlow operations that tf2onnx does not know, or rounds, made of ONNX ones."""

from collections.abc import Callable
from typing import Any

import numpy as np

Handler = Callable[[Any, Any, str, Any], None]
VALUE = "value"


def _composed(*steps: tuple[str | float, ...]) -> tuple[Handler, list[Any]]:
    """Return a handler that does the steps one after the other: operation, operands."""

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


HANDLERS = {
    "Erfc": _composed(("Erf", VALUE), ("Sub", 1.0, VALUE)),
    "Expm1": _composed(("Exp", VALUE), ("Sub", VALUE, 1.0)),
    "Log": _composed(("Log", VALUE)),  # else it is done in float32 in graphs of float64
    "Log1p": _composed(("Add", VALUE, 1.0), ("Log", VALUE)),
}
