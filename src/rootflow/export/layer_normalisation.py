"""Layer normalisation as one operation, where Keras wrote a dozen."""

from typing import Any

import onnx
from onnx import helper

from rootflow.export.graph import Graph

FIRST_OPSET = 17
COMMUTING = ("Add", "Mul")
# How a tensor is made: a name for it, or the operation and how the first of its inputs are made.
Made = str | tuple[Any, ...]
_CENTRED = ("Sub", "values", "mean")
_VARIANCE = ("ReduceMean", ("Mul", _CENTRED, _CENTRED))
_FACTOR = ("Mul", ("Reciprocal", ("Sqrt", ("Add", _VARIANCE, "epsilon"))), "scale")
# Keras says: values * factor + (offset - mean * factor).
NORMALISED: Made = (
    "Add",
    ("Mul", "values", _FACTOR),
    ("Add", ("Mul", ("Neg", "mean"), _FACTOR), "offset"),
)


def layer_normalisation(graph: Graph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Return one operation for the last of those that normalise along the last axis, or None."""
    found: dict[str, str] = {}
    if graph.opset < FIRST_OPSET or not _is_made_so(graph, node.output[0], NORMALISED, found):
        return None
    scale, offset, epsilon = (graph.constants.get(found[n]) for n in ("scale", "offset", "epsilon"))
    if scale is None or offset is None or epsilon is None or epsilon.size != 1:
        return None
    mean = graph.producers.get(found["mean"])
    *others, width = graph.shapes[found["values"]]
    if (
        mean is None
        or (mean.op_type, mean.input[0]) != ("ReduceMean", found["values"])
        or graph.shapes[found["mean"]] != (*others, (1, 1))
        or any(each.shape[-1:] != (each.size,) or each.size != width[0] for each in (scale, offset))
    ):
        return None
    inputs = [found["values"], *(graph.constant(each.ravel()) for each in (scale, offset))]
    return [
        helper.make_node(
            "LayerNormalization",
            inputs,
            node.output[:1],
            name=node.name,
            axis=-1,
            epsilon=float(epsilon.item()),
        )
    ]


def _is_made_so(graph: Graph, name: str, made: Made, found: dict[str, str]) -> bool:
    """Return whether a tensor is made in this way, and put what has a name in it into `found`."""
    if isinstance(made, str):
        return found.setdefault(made, name) == name
    operation, *parts = made
    node = graph.producer(name, operation)
    if node is None:
        return False
    inputs = list(node.input)[: len(parts)]
    for order in (inputs, inputs[::-1]) if operation in COMMUTING else (inputs,):
        tried = dict(found)
        if all(
            _is_made_so(graph, each, part, tried) for each, part in zip(order, parts, strict=True)
        ):
            found.update(tried)
            return True
    return False
