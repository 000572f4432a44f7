"""The graph of the athena variant: the network between one that reads an event and one that writes.

Made of ONNX operations by hand: its free axis is that of the jets, which Keras would take for
that of the events.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from rootflow.export.layout import MEV_IN_A_GEV, FlatLayout

NETWORK = "network/"
JETS_AXIS = "n_jets"
EVENT, JETS, LEPTONS = "event_features", "jet_features", "lepton_features"
OF_THE_EVENT = ("met", "event")


def athena_variant(
    network: onnx.ModelProto, layout: FlatLayout, opset: int, model: str
) -> onnx.ModelProto:
    """Return the network as a graph that reads one event, checked in full.

    Parameters
    ----------
    model
        The first part of the outputs' names.
    """
    inside: onnx.ModelProto = compose.add_prefix(network, NETWORK)
    confidence = "confidence" in {value.name for value in network.graph.output}
    graph = _Graph(opset)
    _read(graph, layout)
    graph.nodes.extend(inside.graph.node)
    outputs = _write(graph, model, confidence)
    inputs: dict[str, tuple[int | str, ...]] = {
        EVENT: (1, sum(layout.shape(name)[1] for name in of_the_event(layout))),
        JETS: (JETS_AXIS, layout.shape("jets")[1]),
        LEPTONS: layout.shape("leptons"),
    }
    whole: onnx.ModelProto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            network.graph.name,
            [_value(name, shape) for name, shape in inputs.items()],
            [_value(name, shape) for name, shape in outputs.items()],
            [*graph.constants, *inside.graph.initializer],
        ),
        opset_imports=network.opset_import,
        ir_version=network.ir_version,
    )
    onnx.checker.check_model(whole, full_check=True)
    return whole


def of_the_event(layout: FlatLayout) -> list[str]:
    """Return the collections whose features are in the row of the event, in their order."""
    return [name for name in OF_THE_EVENT if name in layout.collections]


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

    def largest(self, value: str, axis: int) -> str:
        if self.opset < 18:
            return self.node("ReduceMax", value, axes=[axis], keepdims=0)
        return self.node("ReduceMax", value, self.constant([axis]), keepdims=0)


def _read(graph: _Graph, layout: FlatLayout) -> None:
    """Make the network's inputs."""
    first = graph.constant([0])
    objects, columns = layout.shape("jets")
    absent = graph.constant(np.zeros((objects, columns)), np.float32)
    padded = graph.node("Concat", JETS, absent, axis=0)
    kept = graph.node("Unsqueeze", graph.slice(padded, 0, objects, 0), first)
    pt = graph.node("Gather", kept, graph.constant(layout.features["jets"].index("pt")), axis=2)
    mask = graph.node("Greater", pt, graph.constant(0.0, np.float32), to=f"{NETWORK}jet_mask")
    wide = graph.node("Unsqueeze", mask, graph.constant([2]))
    real = graph.node("Where", wide, kept, graph.constant(0.0, np.float32))
    _scaled(graph, real, layout, "jets")
    _scaled(graph, graph.node("Unsqueeze", LEPTONS, first), layout, "leptons")
    start = 0
    for name in of_the_event(layout):
        stop = start + layout.shape(name)[1]
        _scaled(graph, graph.slice(EVENT, start, stop, 1), layout, name)
        start = stop


def _scaled(graph: _Graph, value: str, layout: FlatLayout, name: str) -> None:
    factors = graph.constant(layout.factors(name), np.float32)
    graph.node("Mul", value, factors, to=NETWORK + name)


def _write(graph: _Graph, model: str, confidence: bool) -> dict[str, tuple[int | str, ...]]:
    """Make the outputs, and return their shapes."""
    first = graph.constant([0])
    jets = graph.slice(graph.node("Shape", JETS), 0, 1, 0)
    behind = graph.node(
        "ConstantOfShape", jets, value=numpy_helper.from_array(np.zeros(1, np.float32))
    )
    for name, axis in ((f"{model}_b", 2), (f"{model}_bbar", 1)):
        slots = graph.node("Squeeze", graph.largest(f"{NETWORK}assignment", axis), first)
        graph.slice(graph.node("Concat", slots, behind, axis=0), 0, jets, 0, to=name)
    mev = graph.constant(MEV_IN_A_GEV, np.float32)
    scaled = graph.node("Mul", f"{NETWORK}neutrinos", mev)
    for place, name in enumerate((f"{model}_neutrino", f"{model}_antineutrino")):
        index = graph.constant([0, place])
        graph.node("GatherND", scaled, index, to=name)
    shapes: dict[str, tuple[int | str, ...]] = {
        f"{model}_b": (JETS_AXIS,),
        f"{model}_bbar": (JETS_AXIS,),
        f"{model}_neutrino": (3,),
        f"{model}_antineutrino": (3,),
    }
    if confidence:
        name = f"{model}_confidence"
        graph.node("Squeeze", f"{NETWORK}confidence", first, to=name)
        shapes[name] = ()
    return shapes


def _value(name: str, shape: tuple[int | str, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))
