"""The graph of the athena variant: the model between one that reads an event and one that writes.

Made of ONNX operations by hand: its free axes are those of the objects, which Keras would take
for that of the events.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from rootflow.export.composing import assembled
from rootflow.export.layout import MEV_IN_A_GEV, InputCollection, Layout

MODEL = "network/"
EVENT = "event_features"
Shapes = dict[str, tuple[int | str, ...]]


def athena_name(model: str) -> str:
    """Return a name as a part of the outputs' names: all before the first _ is the model's."""
    return re.sub(r"[^A-Za-z0-9]", "", model)


def sequence_name(each: InputCollection) -> str:
    """Return the input of a collection of several objects."""
    return f"{each.name.removesuffix('s')}_features"


def length_of(each: InputCollection) -> int | str:
    """Return the first axis of that input: any length, or as many objects as there always are."""
    return f"n_{each.name}" if each.mask else each.shape[0]


def scalars(model: onnx.ModelProto, name: str, classes: Sequence[str]) -> list[str]:
    """Return what the numbers of an output are called, each an output of its own."""
    if name != "probabilities":
        return [name]
    (shape,) = (value.type.tensor_type.shape for value in model.graph.output if value.name == name)
    return [f"p{athena_name(each)}" for each in classes or map(str, range(shape.dim[1].dim_value))]


def athena_variant(
    model: onnx.ModelProto, layout: Layout, opset: int, name: str, classes: Sequence[str]
) -> onnx.ModelProto:
    """Return the model as a graph that reads one event; `name` begins the outputs' names.

    `classes` are those of the columns of `probabilities`.
    """
    inside: onnx.ModelProto = compose.add_prefix(model, MODEL)
    graph = _Graph(opset)
    inputs = _read(graph, layout)
    graph.nodes.extend(inside.graph.node)
    outputs: Shapes = {}
    for value in model.graph.output:
        if value.name == "assignment":
            outputs |= _jets(graph, name)
        elif value.name == "neutrinos":
            outputs |= _momenta(graph, name)
        else:
            for place, one in enumerate(scalars(model, value.name, classes)):
                rank = len(value.type.tensor_type.shape.dim)
                index = graph.constant([0, place][:rank])
                graph.node("GatherND", f"{MODEL}{value.name}", index, to=f"{name}_{one}")
                outputs[f"{name}_{one}"] = ()
    return assembled(
        model,
        model.graph.name,
        graph.nodes,
        [_value(name, shape) for name, shape in inputs.items()],
        [_value(name, shape) for name, shape in outputs.items()],
        [*graph.constants, *inside.graph.initializer],
    )


class _Graph:
    """Nodes and constants that are being put together."""

    def __init__(self, opset: int) -> None:
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, values: Any, dtype: type = np.int64) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def node(self, operation: str, *inputs: str, to: str | None = None, **attributes: Any) -> str:
        name = to or f"value_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, inputs, [name], **attributes))
        return name

    def slice(self, value: str, start: int, stop: int | str, axis: int, **more: str) -> str:
        end = stop if isinstance(stop, str) else self.constant([stop])
        return self.node("Slice", value, self.constant([start]), end, self.constant([axis]), **more)

    def length(self, value: str) -> str:
        return self.slice(self.node("Shape", value), 0, 1, 0)

    def largest(self, value: str, axis: int) -> str:
        if self.opset < 18:
            return self.node("ReduceMax", value, axes=[axis], keepdims=0)
        return self.node("ReduceMax", value, self.constant([axis]), keepdims=0)

    def scaled(self, value: str, each: InputCollection) -> None:
        """Make a collection as the model takes it; of an event's row the factors have no slots."""
        factors = each.factors() if each.slots is not None else each.factors()[0]
        self.node("Mul", value, self.constant(factors, np.float32), to=MODEL + each.name)


def _read(graph: _Graph, layout: Layout) -> Shapes:
    """Make the model's inputs, and return the shapes of the graph's own."""
    shapes: Shapes = {}
    first = graph.constant([0])
    if layout.rows:
        shapes[EVENT] = (1, sum(len(each.features) for each in layout.rows))
    start = 0
    for each in layout.rows:
        graph.scaled(graph.slice(EVENT, start, start + len(each.features), 1), each)
        start += len(each.features)
    for each in layout.sequences:
        name, (slots, columns) = sequence_name(each), each.shape
        shapes[name] = (length_of(each), columns)
        rows = name
        if each.mask:
            absent = graph.constant(np.zeros(each.shape), np.float32)
            rows = graph.slice(graph.node("Concat", name, absent, axis=0), 0, slots, 0)
            there = graph.node("Less", graph.constant(np.arange(slots)), graph.length(name))
            graph.node("Unsqueeze", there, first, to=MODEL + each.mask)
        graph.scaled(graph.node("Unsqueeze", rows, first), each)
    return shapes


def _jets(graph: _Graph, name: str) -> Shapes:
    """Write the best pair of each jet, and return the shapes of the outputs."""
    first, count = graph.constant([0]), graph.length("jet_features")
    behind = graph.node(
        "ConstantOfShape", count, value=numpy_helper.from_array(np.zeros(1, np.float32))
    )
    outputs: Shapes = {f"{name}_b": ("n_jets",), f"{name}_bbar": ("n_jets",)}
    for each, axis in zip(outputs, (2, 1), strict=True):
        slots = graph.node("Squeeze", graph.largest(f"{MODEL}assignment", axis), first)
        graph.slice(graph.node("Concat", slots, behind, axis=0), 0, count, 0, to=each)
    return outputs


def _momenta(graph: _Graph, name: str) -> Shapes:
    """Write the momenta of both neutrinos, and return the shapes of the outputs."""
    outputs: Shapes = {f"{name}_neutrino": (3,), f"{name}_antineutrino": (3,)}
    scaled = graph.node("Mul", f"{MODEL}neutrinos", graph.constant(MEV_IN_A_GEV, np.float32))
    for place, each in enumerate(outputs):
        graph.node("GatherND", scaled, graph.constant([0, place]), to=each)
    return outputs


def _value(name: str, shape: tuple[int | str, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
