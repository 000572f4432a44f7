"""The athena variant: one event, as inference tools for flavour tagging there feed and read it.

Inputs are a row of numbers of the event, (1, features), and sequences of objects, (objects,
features), without a batch axis and without masks; outputs are float32 of rank 0 or 1, each
named MODEL_what, where MODEL has neither - nor _. The metadata have `gnn_config`, as
the exporter of salt writes it with `onnx_model_version` v1.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper
from onnxruntime import InferenceSession

from rootflow.export.about import About, contract_of, output, range_of
from rootflow.export.composing import assembled
from rootflow.export.conversion import Converted
from rootflow.export.layout import BEST, MEV, MEV_IN_A_GEV, InputCollection, Layout
from rootflow.exported.contract import Feature, OnnxContract, Tensor
from rootflow.exported.session import Arrays

MODEL = "network/"
EVENT = "event_features"
Shapes = dict[str, tuple[int | str, ...]]
GNN_CONFIG = "gnn_config"
OF_JETS = {"assignment", "neutrinos"}


def athena_contract(about: About, converted: Converted) -> OnnxContract:
    """Return the contract of the variant for one event at a time."""
    layout, model = converted.layout, athena_name(about.name)
    inputs = []
    if layout.rows:
        event = tuple(feature for each in layout.rows for feature in _features(about, each))
        meaning = " and ".join(each.name for each in layout.rows)
        inputs.append(_tensor(EVENT, (1, len(event)), f"features of {meaning}", event))
    for each in layout.sequences:
        features = _features(about, each)
        shape = (length_of(each), len(features))
        meaning = f"all {each.name}, of which {'the leading' if each.mask else 'all'} count"
        inputs.append(_tensor(sequence_name(each), shape, meaning, features))
    outputs: list[Tensor] = []
    for name in converted.outputs:
        if name == "assignment":
            for quark, more in (("b", ": the largest is in the most probable pair"), ("bbar", "")):
                said = f"{BEST} {quark}{more}"
                outputs.append(output(about, name, ("n_jets",), MEV, said, f"{model}_{quark}"))
        elif name == "neutrinos":
            for one in ("neutrino", "antineutrino"):
                said = f"momentum of the {one}"
                outputs.append(output(about, name, (3,), MEV, said, f"{model}_{one}"))
        else:
            outputs += [
                output(about, name, (), called=f"{model}_{one}")
                for one in scalars(converted.proto, name, about.classes)
            ]
    return contract_of(
        about,
        layout,
        target="athena",
        unit=MEV,
        padding="none: there are as many rows as objects",
        inputs=inputs,
        outputs=outputs,
    )


def athena_entries(contract: OnnxContract, layout: Layout) -> dict[str, str]:  # noqa: ARG001
    """Return the metadata `gnn_config`: what is read by name, without offset and scale."""
    read = [
        {
            "name": tensor.name,
            "variables": [
                {"name": feature.name, "offset": 0.0, "scale": 1.0} for feature in tensor.features
            ],
        }
        for tensor in contract.inputs
    ]
    config = {
        "onnx_model_version": "v1",
        "model_name": athena_name(contract.model),
        "output_names": [tensor.name for tensor in contract.outputs],
        "layers": [],
        "nodes": [],
        "inputs": [each for each in read if each["name"] == EVENT],
        "input_sequences": [each for each in read if each["name"] != EVENT],
    }
    return {GNN_CONFIG: json.dumps(config)}


def athena_feeds(inputs: Arrays, layout: Layout) -> Arrays:
    """Return events as they go in one by one; objects still with their slots, and the masks."""
    rows = {
        each.name: (inputs[each.name].reshape(-1, *each.shape) / each.factors()).astype(np.float32)
        for each in layout.collections
    }
    feeds = {sequence_name(each): rows[each.name] for each in layout.sequences}
    if layout.rows:
        feeds[EVENT] = np.concatenate([rows[each.name] for each in layout.rows], axis=-1)
    return feeds | {each.mask: inputs[each.mask] for each in layout.sequences if each.mask}


def read_athena(feeds: Arrays, layout: Layout) -> Arrays:
    """Return the model's inputs from those of events, as the graph makes them."""
    inputs: Arrays = {}
    for each in layout.sequences:
        values = feeds[sequence_name(each)]
        if each.mask:
            inputs[each.mask] = feeds[each.mask]
            values = np.where(feeds[each.mask][..., np.newaxis], values, np.float32(0))
        inputs[each.name] = values * each.factors()
    start = 0
    for each in layout.rows:
        stop = start + len(each.features)
        inputs[each.name] = feeds[EVENT][:, 0, start:stop] * each.factors()[0]
        start = stop
    return inputs


def ask_athena(
    session: InferenceSession, feeds: Arrays, layout: Layout, outputs: list[str]
) -> Arrays:
    """Return what it says of events one after the other, by the names of the flat variant.

    `outputs` are those of the model.
    """
    answers = []
    for place in range(len(next(iter(feeds.values())))):
        event = {
            sequence_name(each): feeds[sequence_name(each)][place][
                feeds[each.mask][place] if each.mask else slice(None)
            ]
            for each in layout.sequences
        }
        if layout.rows:
            event[EVENT] = feeds[EVENT][place]
        answers.append(session.run(None, event))
    if not set(outputs) >= OF_JETS:
        (name,) = outputs
        return {name: np.stack([np.stack(answer) for answer in answers])}
    slots = next(each.shape[0] for each in layout.sequences if each.name == "jets")
    columns_of_jets = [
        np.stack([np.pad(each, (0, slots - len(each))) for each in answer[:2]], axis=-1)
        for answer in answers
    ]
    said = {
        "assignment": np.stack(columns_of_jets),
        "regression": np.stack([np.stack(answer[2:4]) for answer in answers]),
    }
    if "confidence" in outputs:
        said["confidence"] = np.stack([answer[4] for answer in answers])
    return said


def _tensor(
    name: str, shape: tuple[int | str, ...], meaning: str, features: tuple[Feature, ...]
) -> Tensor:
    return Tensor(name=name, type="float32", shape=shape, meaning=meaning, features=features)


def _features(about: About, each: InputCollection) -> tuple[Feature, ...]:
    """Return the columns in MeV by the names of the ntuple production."""
    ranges = about.ranges[each.name]
    values = ranges / each.factors()[: len(ranges), :, np.newaxis]
    return tuple(
        Feature(name=name, unit=unit, range=range_of(values[:, place]))
        for place, (name, unit) in enumerate(
            zip(each.names, each.units_in(MEV).values(), strict=True)
        )
    )


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


def athena_graph(converted: Converted, about: About) -> onnx.ModelProto:
    """Return the model between a graph that reads one event and one that writes.

    It is made of ONNX operations by hand: its free axes are those of the objects, which Keras
    would take for that of the events.
    """
    model, name = converted.proto, athena_name(about.name)
    inside: onnx.ModelProto = compose.add_prefix(model, MODEL)
    graph = _Graph(about.opset)
    inputs = _read(graph, converted.layout)
    graph.nodes.extend(inside.graph.node)
    outputs: Shapes = {}
    for value in model.graph.output:
        if value.name == "assignment":
            outputs |= _jets(graph, name)
        elif value.name == "neutrinos":
            outputs |= _momenta(graph, name)
        else:
            for place, one in enumerate(scalars(model, value.name, about.classes)):
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
