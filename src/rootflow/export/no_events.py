"""Graphs that hold for a batch of no events, in every onnxruntime that may open them."""

import numpy as np
import onnx
from onnx import helper

from rootflow.export.graph import Graph

REDUCING = "Reduce"
PADDED = "with_a_row"


def axes_from_the_front(graph: Graph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Count the axes that are summed up from the front.

    Onnxruntime 1.20 to 1.31 leaves those counted from the end as they are where a tensor is
    empty, so that the result has another shape.
    """
    if not node.op_type.startswith(REDUCING):
        return None
    rank = len(graph.shapes[node.input[0]])
    made = onnx.NodeProto()
    made.CopyFrom(node)
    for attribute in made.attribute:
        if attribute.name == "axes" and min(attribute.ints) < 0:
            attribute.ints[:] = [axis % rank for axis in attribute.ints]
            return [made]
    axes = graph.constants.get(node.input[1]) if len(node.input) > 1 else None
    if axes is None or not np.any(axes < 0):
        return None
    made.input[1] = graph.constant(axes % rank)
    return [made]


def never_without_rows(graph: Graph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Sort one row more than there are events, and leave it out behind.

    A program with onnxruntime 1.15 to 1.26 ends at once where there is none to sort.
    """
    if node.op_type != "TopK" or PADDED in node.input[0]:
        return None
    source, *_ = node.input
    (first, other), *rest = graph.shapes[source]
    if first == other:
        return None
    row = np.zeros((1, *(size for size, _ in rest)), np.float32)
    start, stop, axis = (graph.constant(np.array([place])) for place in (0, -1, 0))
    padded = graph.new_name(PADDED)
    made = onnx.NodeProto()
    made.CopyFrom(node)
    made.input[0] = padded
    made.output[:] = [graph.new_name("sorted") if name else "" for name in node.output]
    return [
        helper.make_node("Concat", [source, graph.constant(row)], [padded], axis=0),
        made,
        *(
            helper.make_node("Slice", [sorted_, start, stop, axis], [name])
            for sorted_, name in zip(made.output, node.output, strict=True)
            if name
        ),
    ]


def is_fused_with(graph: Graph, source: str) -> bool:
    """Return whether onnxruntime makes one operation of what gives a tensor and a product.

    It does of an exchange of the last two axes; below 1.32 the one operation fails where
    there are no events and the other factor is a matrix.
    """
    node = graph.producer(source, "Transpose")
    if node is None:
        return False
    (order,) = (list(attribute.ints) for attribute in node.attribute)
    last = len(order) - 1
    return order == [*range(last - 1), last, last - 1]
