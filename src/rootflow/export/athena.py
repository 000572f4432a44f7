"""The athena variant: one event, as inference tools for flavour tagging there feed and read it.

Inputs are a row of numbers of the event, (1, features), and sequences of objects, (objects,
features), without a batch axis and without masks; outputs are float32 of rank 0 or 1, each
named MODEL_what, where MODEL has neither - nor _. The metadata have `gnn_config`, as
the exporter of salt writes it with `onnx_model_version` v1.
"""

import json
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper
from onnxruntime import InferenceSession

from rootflow.export.composing import assembled
from rootflow.export.layout import (
    BEST,
    MEV,
    MEV_IN_A_GEV,
    InputCollection,
    Layout,
    flat_outputs,
)
from rootflow.export.variant import Variant, columns
from rootflow.exported.contract import Feature, Tensor
from rootflow.exported.session import Arrays

MODEL = "network/"
EVENT = "event_features"
GNN_CONFIG = "gnn_config"
# What outputs of a model become, each an output of its own, and what that is.
PARTS: Mapping[str, Mapping[str, str]] = {
    "assignment": {
        "b": f"{BEST} b: the largest is in the most probable pair",
        "bbar": f"{BEST} bbar",
    },
    "neutrinos": {
        "neutrino": "momentum of the neutrino",
        "antineutrino": "momentum of the antineutrino",
    },
}
SHAPES: Mapping[str, tuple[int | str, ...]] = {"assignment": ("n_jets",), "neutrinos": (3,)}


class Athena(Variant):
    """One event, with as many rows of an input as there are objects."""

    target = "athena"
    name = "athena"
    batch_sizes = (1,)

    @cached_property
    def graph(self) -> onnx.ModelProto:
        """The model between a graph that reads one event and one that writes.

        It is made of ONNX operations by hand: its free axes are those of the objects, which Keras
        would take for that of the events.
        """
        model = self.converted.proto
        inside: onnx.ModelProto = compose.add_prefix(model, MODEL)
        graph = _Graph(self.converted.config.opset)
        _read(graph, self.layout)
        graph.nodes.extend(inside.graph.node)
        for name, shape in self.converted.outputs.items():
            parts, source = list(self._parts(name)), f"{MODEL}{name}"
            if name == "assignment":
                _write_jets(graph, source, parts)
                continue
            if name == "neutrinos":
                source = graph.node("Mul", source, graph.constant(MEV_IN_A_GEV, np.float32))
            for place, part in enumerate(parts):
                index = graph.constant([0, place][: len(shape)])
                graph.node("GatherND", source, index, to=part)
        return assembled(
            model,
            model.graph.name,
            graph.nodes,
            map(_value, self._inputs()),
            map(_value, self._outputs()),
            [*graph.constants, *inside.graph.initializer],
        )

    @property
    def _padding(self) -> str:
        return "none: there are as many rows as objects"

    def _inputs(self) -> list[Tensor]:
        inputs = []
        if self.layout.rows:
            event = tuple(feature for each in self.layout.rows for feature in self._features(each))
            meaning = f"features of {' and '.join(each.name for each in self.layout.rows)}"
            inputs.append(_tensor(EVENT, 1, meaning, event))
        for each in self.layout.sequences:
            # Any length, or as many objects as there always are.
            length = f"n_{each.name}" if each.mask else each.shape[0]
            meaning = f"all {each.name}, of which {'the leading' if each.mask else 'all'} count"
            inputs.append(_tensor(_sequence(each), length, meaning, self._features(each)))
        return inputs

    def _outputs(self) -> list[Tensor]:
        return [
            self._output(name, SHAPES.get(name, ()), MEV, meaning, called)
            for name in self.converted.outputs
            for called, meaning in self._parts(name).items()
        ]

    def _parts(self, name: str) -> Mapping[str, str]:
        """Return what an output of the model becomes, by name, as in PARTS."""
        parts = PARTS.get(name, {name: ""})
        if name == "probabilities":
            count = int(self.converted.outputs[name][1])
            classes = self.about.classes or map(str, range(count))
            parts = {f"p{_letters(each)}": "" for each in classes}
        model = _letters(self.about.name)
        return {f"{model}_{part}": meaning for part, meaning in parts.items()}

    def _features(self, each: InputCollection) -> tuple[Feature, ...]:
        """Return the columns in MeV by the names of the ntuple production."""
        ranges = self.about.ranges[each.name]
        values = ranges / each.factors()[: len(ranges), :, np.newaxis]
        return columns(each.names, each.units_in(MEV), values)

    def _entries(self) -> Mapping[str, str]:
        """Return `gnn_config`: what is read by name, without offset and scale."""
        read = [
            {
                "name": tensor.name,
                "variables": [
                    {"name": feature.name, "offset": 0.0, "scale": 1.0}
                    for feature in tensor.features
                ],
            }
            for tensor in self._inputs()
        ]
        config = {
            "onnx_model_version": "v1",
            "model_name": _letters(self.about.name),
            "output_names": [tensor.name for tensor in self._outputs()],
            "layers": [],
            "nodes": [],
            "inputs": [each for each in read if each["name"] == EVENT],
            "input_sequences": [each for each in read if each["name"] != EVENT],
        }
        return {GNN_CONFIG: json.dumps(config)}

    def feeds(self, inputs: Arrays) -> Arrays:
        """Return events as they go in one by one; objects still with their slots, and the masks."""
        rows = {
            each.name: (inputs[each.name].reshape(-1, *each.shape) / each.factors()).astype(
                np.float32
            )
            for each in self.layout.collections
        }
        feeds = {_sequence(each): rows[each.name] for each in self.layout.sequences}
        if self.layout.rows:
            feeds[EVENT] = np.concatenate([rows[each.name] for each in self.layout.rows], axis=-1)
        masks = [each.mask for each in self.layout.sequences if each.mask]
        return feeds | {mask: inputs[mask] for mask in masks}

    def expected(self, feeds: Arrays) -> Arrays:
        """Return what the model says of events as they are read, in the way of the flat variant."""
        inputs: Arrays = {}
        for each in self.layout.sequences:
            values = feeds[_sequence(each)]
            if each.mask:
                inputs[each.mask] = feeds[each.mask]
                values = np.where(feeds[each.mask][..., np.newaxis], values, np.float32(0))
            inputs[each.name] = values * each.factors()
        start = 0
        for each in self.layout.rows:
            stop = start + len(each.features)
            inputs[each.name] = feeds[EVENT][:, 0, start:stop] * each.factors()[0]
            start = stop
        said = self.converted.says(inputs)
        extra = {"confidence": said["confidence"]} if "confidence" in said else {}
        return flat_outputs(said) | extra

    def ask(self, session: InferenceSession, feeds: Arrays) -> Arrays:
        """Return what it says of events one after the other, as the flat variant does."""
        answers = []
        for place in range(len(next(iter(feeds.values())))):
            event = {
                _sequence(each): feeds[_sequence(each)][place][
                    feeds[each.mask][place] if each.mask else slice(None)
                ]
                for each in self.layout.sequences
            }
            if self.layout.rows:
                event[EVENT] = feeds[EVENT][place]
            answers.append(session.run(None, event))
        outputs = list(self.converted.outputs)
        if "assignment" not in outputs:
            (name,) = outputs
            return {name: np.stack([np.stack(answer) for answer in answers])}
        slots = next(each.shape[0] for each in self.layout.sequences if each.name == "jets")
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


def _tensor(name: str, length: int | str, meaning: str, features: tuple[Feature, ...]) -> Tensor:
    shape = (length, len(features))
    return Tensor(name=name, type="float32", shape=shape, meaning=meaning, features=features)


def _letters(name: str) -> str:
    """Return a name as a part of the outputs' names: all before the first _ is the model's."""
    return re.sub(r"[^A-Za-z0-9]", "", name)


def _sequence(each: InputCollection) -> str:
    """Return the input of a collection of several objects."""
    return f"{each.name.removesuffix('s')}_features"


def _value(tensor: Tensor) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, list(tensor.shape))


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


def _read(graph: _Graph, layout: Layout) -> None:
    """Make the model's inputs."""
    first = graph.constant([0])
    start = 0
    for each in layout.rows:
        graph.scaled(graph.slice(EVENT, start, start + len(each.features), 1), each)
        start += len(each.features)
    for each in layout.sequences:
        name, (slots, _) = _sequence(each), each.shape
        rows = name
        if each.mask:
            absent = graph.constant(np.zeros(each.shape), np.float32)
            rows = graph.slice(graph.node("Concat", name, absent, axis=0), 0, slots, 0)
            there = graph.node("Less", graph.constant(np.arange(slots)), graph.length(name))
            graph.node("Unsqueeze", there, first, to=MODEL + each.mask)
        graph.scaled(graph.node("Unsqueeze", rows, first), each)


def _write_jets(graph: _Graph, joint: str, outputs: list[str]) -> None:
    """Write for each jet the best pair in which it is that of b, and that of bbar."""
    first, count = graph.constant([0]), graph.length("jet_features")
    behind = graph.node(
        "ConstantOfShape", count, value=numpy_helper.from_array(np.zeros(1, np.float32))
    )
    for each, axis in zip(outputs, (2, 1), strict=True):
        slots = graph.node("Squeeze", graph.largest(joint, axis), first)
        graph.slice(graph.node("Concat", slots, behind, axis=0), 0, count, 0, to=each)
