"""The named variant: the network as it is, or with energies in MeV going in."""

import onnx
from onnx import compose, helper, numpy_helper

from rootflow.export.layout import MEV, FlatLayout

INSIDE = "gev/"


def named_variant(network: onnx.ModelProto, layout: FlatLayout, unit: str) -> onnx.ModelProto:
    """Return the network with inputs in the unit, checked in full; its outputs stay in GeV."""
    if unit != MEV:
        copy = onnx.ModelProto()
        copy.CopyFrom(network)
        return copy
    inside: onnx.ModelProto = compose.add_prefix(
        network,
        INSIDE,
        rename_nodes=False,
        rename_edges=False,
        rename_outputs=False,
        rename_initializers=False,
        rename_value_infos=False,
        rename_functions=False,
    )
    nodes, constants = [], []
    for value in network.graph.input:
        name = value.name
        if name in layout.collections:
            factor = f"{name}_in_gev"
            constants.append(numpy_helper.from_array(1 / layout.scales(name, MEV), factor))
            nodes.append(helper.make_node("Mul", [name, factor], [INSIDE + name]))
        else:
            nodes.append(helper.make_node("Identity", [name], [INSIDE + name]))
    graph = helper.make_graph(
        [*nodes, *inside.graph.node],
        network.graph.name,
        list(network.graph.input),
        list(network.graph.output),
        [*constants, *inside.graph.initializer],
    )
    whole: onnx.ModelProto = helper.make_model(
        graph, opset_imports=network.opset_import, ir_version=network.ir_version
    )
    onnx.checker.check_model(whole, full_check=True)
    return whole
