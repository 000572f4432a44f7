"""An ONNX graph as something to rewrite: its nodes, constants and shapes by name."""

import copy
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

# A dimension that differs between these is that of the events, or a multiple of it.
EVENTS = (3, 5)
# The same tensor's shape for these numbers of events.
Shape = tuple[tuple[int, int], ...]
ASK_FOR_SHAPES = frozenset({"Shape", "Size"})


class Graph:
    """A graph of which nodes, sorted by what they need, are exchanged one by one.

    Shapes and types are of all tensors; `known` are those the same for any number of events.
    """

    def __init__(self, proto: onnx.ModelProto) -> None:
        self._proto = proto
        self.nodes = list(proto.graph.node)
        self.constants = {
            each.name: numpy_helper.to_array(each) for each in proto.graph.initializer
        }
        self.outputs = {value.name for value in proto.graph.output}
        self.opset = max(entry.version for entry in proto.opset_import if not entry.domain)
        self._names = {name for node in self.nodes for name in node.output} | set(self.constants)
        self.look()

    def look(self) -> None:
        """Drop what nothing uses, and find out again who takes what, and all shapes."""
        proto = self.proto()
        self.producers = {name: node for node in self.nodes for name in node.output}
        self.consumers: dict[str, list[onnx.NodeProto]] = defaultdict(list)
        for node in self.nodes:
            for name in node.input:
                self.consumers[name].append(node)
        few, more = (_values(proto, count) for count in EVENTS)
        self.shapes: dict[str, Shape] = {
            name: tuple(zip(value.shape, more[name].shape, strict=True))
            for name, value in few.items()
        }
        self.types = {name: value.dtype for name, value in few.items()}
        inputs = [value.name for value in self._proto.graph.input]
        of_events = self.after(inputs, but_for=ASK_FOR_SHAPES)
        self.known = {
            name: value
            for name, value in few.items()
            if name in self.producers
            and name not in of_events
            and _content(value) == _content(more[name])
        }

    def producer(self, name: str, operation: str) -> onnx.NodeProto | None:
        """Return the node that a tensor comes from, if it is of this kind."""
        node = self.producers.get(name)
        return node if node is not None and node.op_type == operation else None

    def only_for(self, name: str, kinds: Collection[str]) -> bool:
        """Return whether all that take a tensor are of these kinds, and it is no output."""
        takers = self.consumers[name]
        return name not in self.outputs and all(node.op_type in kinds for node in takers)

    def after(self, names: Iterable[str], but_for: Collection[str] = ()) -> set[str]:
        """Return tensors and all that depend on them, but for what nodes of these kinds give."""
        found = set(names)
        for node in self.nodes:
            if node.op_type not in but_for and found.intersection(node.input):
                found.update(node.output)
        return found

    def part(
        self, nodes: list[onnx.NodeProto], feeds: Mapping[str, NDArray[Any]]
    ) -> onnx.ModelProto:
        """Return a model of some nodes that takes these inputs."""
        model = self.proto()
        del model.graph.node[:], model.graph.input[:]
        model.graph.node.extend(nodes)
        model.graph.input.extend(
            helper.make_tensor_value_info(
                name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
            )
            for name, array in feeds.items()
        )
        return model

    def exchange(self, tensors: Collection[str], nodes: Iterable[onnx.NodeProto]) -> None:
        """Let nodes give some tensors in place of those that do."""
        for name in tensors:
            output = self.producers[name].output
            output[list(output).index(name)] = self.new_name("unused")
        self.nodes += nodes

    def sort(self) -> None:
        """Put each node after those whose outputs it takes, then look at them again."""
        place = {name: number for number, node in enumerate(self.nodes) for name in node.output}
        order = TopologicalSorter(
            {
                number: [place[name] for name in node.input if name in place]
                for number, node in enumerate(self.nodes)
            }
        )
        self.nodes = [self.nodes[number] for number in order.static_order()]
        self.look()

    def constant(self, array: NDArray[Any]) -> str:
        """Return the name of a constant of this value."""
        name = self.new_name("constant")
        self.constants[name] = array
        self.shapes[name] = tuple((size, size) for size in array.shape)
        return name

    def merge_constants(self) -> dict[str, str]:
        """Return for each constant the first one of its value, which is kept alone."""
        first: dict[tuple[Any, ...], str] = {}
        constants = self.constants.items()
        return {name: first.setdefault(_content(array), name) for name, array in constants}

    def new_name(self, stem: str) -> str:
        """Return a name that no tensor has."""
        count = len(self._names)
        while f"{stem}_{count}" in self._names:
            count += 1
        self._names.add(f"{stem}_{count}")
        return f"{stem}_{count}"

    def name_outputs(self) -> None:
        """Give tensors that are only passed on the names of the outputs."""
        for node in [each for each in self.nodes if each.op_type == "Identity"]:
            source, result = node.input[0], node.output[0]
            if source in self.outputs or source not in self.producers:
                continue
            self.nodes.remove(node)
            for other in self.nodes:
                for names in (other.input, other.output):
                    names[:] = [result if name == source else name for name in names]

    def proto(self) -> onnx.ModelProto:
        """Return the graph as a model, without what nothing uses."""
        self._prune()
        model = copy.deepcopy(self._proto)
        del model.graph.node[:], model.graph.initializer[:], model.graph.value_info[:]
        model.graph.node.extend(self.nodes)
        model.graph.initializer.extend(
            numpy_helper.from_array(array, name) for name, array in self.constants.items()
        )
        return model

    def _prune(self) -> None:
        used = set(self.outputs)
        kept = []
        for node in reversed(self.nodes):
            if used.intersection(node.output):
                kept.append(node)
                used.update(node.input)
        self.nodes = kept[::-1]
        self.constants = {name: each for name, each in self.constants.items() if name in used}


def _values(proto: onnx.ModelProto, events: int) -> dict[str, NDArray[Any]]:
    """Return every tensor of a graph for so many events of zeros."""
    feeds = {
        value.name: np.zeros(
            [each.dim_value or events for each in value.type.tensor_type.shape.dim],
            helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type),
        )
        for value in proto.graph.input
    }
    names = [name for node in proto.graph.node for name in node.output if name]
    constants = {each.name: numpy_helper.to_array(each) for each in proto.graph.initializer}
    return {**constants, **feeds, **run(proto, names, feeds)}


def run(
    proto: onnx.ModelProto, names: list[str], feeds: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    """Return tensors of a graph as it is, by name."""
    asked = copy.deepcopy(proto)
    del asked.graph.output[:]
    asked.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        asked.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return dict(zip(names, session.run(names, dict(feeds)), strict=True))


def _content(array: NDArray[Any]) -> tuple[Any, ...]:
    return array.dtype, array.shape, array.tobytes()
