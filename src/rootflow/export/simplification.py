"""Graphs of fewer nodes that say the same: for one event, the nodes are what takes the time.

Converters compute the shapes of tensors while the network runs, for any number of events, and
take tensors apart where one operation would do. Here shapes become constants with -1 for the
events, operations are put together, and what changes nothing goes.
"""

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import helper

from rootflow.export.arrangement import arrange
from rootflow.export.graph import Graph, Shape

RESHAPING = ("Reshape", "Squeeze", "Unsqueeze", "Flatten")
# They change nothing where they leave the shape as it is.
MAY_DO_NOTHING = (*RESHAPING, "Slice", "Expand", "Identity")
# What may stand for a node: others, the last with its output, or a tensor; None: only itself.
Instead = list[onnx.NodeProto] | str | None
Rule = Callable[[Graph, onnx.NodeProto], Instead]
REDUCING = "Reduce"
PADDED = "with_a_row"
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


def simplified(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model that says the same with fewer nodes, for any number of events.

    The inputs have one free axis, that of the events. Where a node has a graph within, the model
    is returned as it is.
    """
    if any(field.HasField("g") for node in proto.graph.node for field in node.attribute):
        return proto
    graph = Graph(proto)
    _rewrite_all(graph)
    arrange(graph)
    _rewrite_all(graph)
    graph.name_outputs()
    return graph.proto()


def _rewrite_all(graph: Graph) -> None:
    while _rewrite(graph):
        graph.look()


def _rewrite(graph: Graph) -> bool:
    """Go through the nodes once, apply to each the first rule that fits; return whether any did."""
    before, graph.nodes = graph.nodes, []
    changed = False
    renamed = graph.merge_constants()
    seen: dict[bytes, onnx.NodeProto] = {}
    for node in before:
        _rename(node, renamed)
        instead = _instead(graph, node, seen)
        changed = changed or instead is not None
        if isinstance(instead, str):
            renamed[node.output[0]] = renamed.get(instead, instead)
            continue
        for made in [node] if instead is None else instead:
            _rename(made, renamed)
            graph.nodes.append(made)
    return changed


def _instead(graph: Graph, node: onnx.NodeProto, seen: dict[bytes, onnx.NodeProto]) -> Instead:
    if graph.outputs.isdisjoint(node.output):
        if len(node.output) == 1 and node.output[0] in graph.known:
            return graph.constant(graph.known[node.output[0]])
        same = seen.setdefault(_question(node), node)
        if same is not node and len(node.output) == 1:
            return str(same.output[0])
    for rule in RULES:
        instead = rule(graph, node)
        if instead is not None:
            return instead
    return None


def _question(node: onnx.NodeProto) -> bytes:
    """Return what nodes have in common that say the same."""
    question = copy.deepcopy(node)
    question.ClearField("output")
    question.ClearField("name")
    question.output.extend("" for _ in node.output)
    said: bytes = question.SerializeToString(deterministic=True)
    return said


def _rename(node: onnx.NodeProto, renamed: dict[str, str]) -> None:
    for place, name in enumerate(node.input):
        node.input[place] = renamed.get(name, name)


def _nothing(graph: Graph, node: onnx.NodeProto) -> Instead:
    """Leave out what does not change its input."""
    if node.op_type not in MAY_DO_NOTHING:
        return None
    source, result = str(node.input[0]), node.output[0]
    steps = graph.constants.get(node.input[4]) if len(node.input) > 4 else np.ones(1)
    if graph.shapes[source] != graph.shapes[result] or steps is None or np.any(steps < 0):
        return None
    if result not in graph.outputs:
        return source
    return None if node.op_type == "Identity" else [_named(node, "Identity", [source])]


def _reshape(graph: Graph, node: onnx.NodeProto) -> Instead:
    """Reshape once, to a constant shape, whatever is between."""
    if node.op_type not in RESHAPING:
        return None
    source = node.input[0]
    while (before := graph.producers.get(source)) is not None and before.op_type in RESHAPING:
        source = before.input[0]
    target = _target(graph.shapes[node.output[0]])
    is_so = (
        source == node.input[0] and node.op_type == "Reshape" and node.input[1] in graph.constants
    )
    if is_so or target is None:
        return None
    return [_named(node, "Reshape", [source, graph.constant(target)])]


def _target(shape: Shape) -> np.ndarray | None:
    """Return a shape for Reshape, -1 being the events; None: none that is constant."""
    target = [few if few == more else -1 for few, more in shape]
    return np.array(target, np.int64) if target.count(-1) <= 1 else None


def _pick(graph: Graph, node: onnx.NodeProto) -> Instead:
    """Take what is at one place along an axis at once, where it is sliced and then squeezed."""
    sliced = graph.producer(node.input[0], "Slice") if node.op_type in RESHAPING else None
    if sliced is None or not graph.only_for(sliced.output[0], [node.op_type]):
        return None
    whole, part = graph.shapes[sliced.input[0]], graph.shapes[sliced.output[0]]
    cut = [axis for axis, (one, other) in enumerate(zip(whole, part, strict=True)) if one != other]
    if len(cut) != 1 or part[cut[0]] != (1, 1):
        return None
    axis = cut[0]
    starts, axes = (graph.constants.get(sliced.input[place]) for place in (1, 3))
    if (
        starts is None
        or axes is None
        or graph.shapes[node.output[0]] != (*part[:axis], *part[axis + 1 :])
    ):
        return None
    along = [int(each) % len(whole) for each in axes].index(axis)
    place = graph.constant(np.array(starts[along] % whole[axis][0], np.int64))
    return [_named(node, "Gather", [sliced.input[0], place], axis=axis)]


def _product(graph: Graph, node: onnx.NodeProto) -> Instead:
    """Multiply rows by a matrix in the shape that they have, not as one long table."""
    if node.op_type != "MatMul" or not graph.only_for(node.output[0], RESHAPING):
        return None
    rows = graph.producer(node.input[0], "Reshape")
    matrix = graph.constants.get(node.input[1])
    if rows is None or matrix is None or matrix.ndim != 2 or _is_fused_with(graph, rows.input[0]):
        return None
    source, target = rows.input[0], _target(graph.shapes[node.output[0]])
    if target is None or graph.shapes[source][-1:] != graph.shapes[rows.output[0]][-1:]:
        return None
    product = graph.new_name("product")
    return [
        helper.make_node("MatMul", [source, node.input[1]], [product], name=f"{node.name}_rows"),
        _named(node, "Reshape", [product, graph.constant(target)]),
    ]


def _named(node: onnx.NodeProto, operation: str, inputs: list[str], **more: Any) -> onnx.NodeProto:
    """Return a node for the place of another."""
    return helper.make_node(operation, inputs, node.output[:1], name=node.name, **more)


def _layer_normalisation(graph: Graph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
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
    return [_named(node, "LayerNormalization", inputs, axis=-1, epsilon=float(epsilon.item()))]


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


# Graphs that hold for a batch of no events, in every onnxruntime that may open them.


def _axes_from_the_front(graph: Graph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
    """Count the axes that are summed up from the front.

    Onnxruntime 1.20 to 1.31 leaves those counted from the end as they are where a tensor is
    empty, so that the result has another shape.
    """
    if not node.op_type.startswith(REDUCING):
        return None
    rank = len(graph.shapes[node.input[0]])
    made = copy.deepcopy(node)
    for attribute in made.attribute:
        if attribute.name == "axes" and min(attribute.ints) < 0:
            attribute.ints[:] = [axis % rank for axis in attribute.ints]
            return [made]
    axes = graph.constants.get(node.input[1]) if len(node.input) > 1 else None
    if axes is None or not np.any(axes < 0):
        return None
    made.input[1] = graph.constant(axes % rank)
    return [made]


def _never_without_rows(graph: Graph, node: onnx.NodeProto) -> list[onnx.NodeProto] | None:
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
    made = copy.deepcopy(node)
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


def _is_fused_with(graph: Graph, source: str) -> bool:
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


RULES: tuple[Rule, ...] = (
    *(_nothing, _pick, _reshape, _product, _layer_normalisation),
    *(_axes_from_the_front, _never_without_rows),
)
