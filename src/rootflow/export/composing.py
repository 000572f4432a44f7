"""Whole ONNX models, put together of others and checked in full."""

import copy
import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

BATCH_AXIS = "batch"
FOLD = "fold"
INSIDE = "gev/"


def assembled(
    like: onnx.ModelProto,
    name: str,
    nodes: Iterable[onnx.NodeProto],
    inputs: Iterable[onnx.ValueInfoProto],
    outputs: Iterable[onnx.ValueInfoProto],
    constants: Iterable[TensorProto],
) -> onnx.ModelProto:
    """Return a model of these parts, in the operator sets of another."""
    whole: onnx.ModelProto = helper.make_model(
        helper.make_graph(list(nodes), name, list(inputs), list(outputs), list(constants)),
        opset_imports=like.opset_import,
        ir_version=like.ir_version,
    )
    onnx.checker.check_model(whole, full_check=True)
    return whole


def chained(
    first: onnx.ModelProto, second: onnx.ModelProto, links: Mapping[str, str]
) -> onnx.ModelProto:
    """Return both models as one, with the outputs of the second.

    `links` are from outputs of the first to inputs of the second.
    """
    prefix = f"{first.graph.name}/"
    whole: onnx.ModelProto = compose.merge_models(
        compose.add_prefix(first, prefix, rename_inputs=False),
        second,
        io_map=[(prefix + output, name) for output, name in links.items()],
        outputs=[output.name for output in second.graph.output],
    )
    each_once = {entry.domain: entry.version for entry in whole.opset_import}
    del whole.opset_import[:]
    whole.opset_import.extend(itertools.starmap(helper.make_opsetid, each_once.items()))
    onnx.checker.check_model(whole, full_check=True)
    return whole


def with_scales(
    model: onnx.ModelProto, scales: Mapping[str, np.ndarray[tuple[int], np.dtype[np.float32]]]
) -> onnx.ModelProto:
    """Return the model for inputs that are its own times `scales`, by name."""
    names = [value.name for value in model.graph.input]
    inside = copy.deepcopy(model.graph)
    for node in inside.node:
        node.input[:] = [INSIDE + name if name in names else name for name in node.input]
    nodes, constants = [], []
    for name in names:
        if name in scales:
            factor = f"{name}_in_gev"
            constants.append(numpy_helper.from_array(1 / scales[name], factor))
            nodes.append(helper.make_node("Mul", [name, factor], [INSIDE + name]))
        else:
            nodes.append(helper.make_node("Identity", [name], [INSIDE + name]))
    return assembled(
        model,
        model.graph.name,
        [*nodes, *inside.node],
        model.graph.input,
        model.graph.output,
        [*constants, *inside.initializer],
    )


def with_all_folds(protos: Sequence[onnx.ModelProto], name: str) -> onnx.ModelProto:
    """Return one graph of the models of all folds, of which that at place k has not seen fold k.

    Its inputs are theirs and `fold` (n,) int64, the fold that each event is in; its outputs
    are those of the model at this place.
    """
    prefixed = [
        compose.add_prefix(proto, f"fold{place}/", rename_inputs=False)
        for place, proto in enumerate(protos)
    ]
    first = protos[0].graph
    axis = numpy_helper.from_array(np.array([1], np.int64), "last_axis")
    pick = [helper.make_node("Unsqueeze", [FOLD, axis.name], ["place"])]
    for output in first.output:
        every = [f"fold{place}/{output.name}" for place in range(len(protos))]
        together = f"{output.name}_of_all"
        if [axis.dim_value for axis in output.type.tensor_type.shape.dim[1:]] == [1]:
            pick.append(helper.make_node("Concat", every, [together], axis=1))
            pick.append(
                helper.make_node("GatherElements", [together, "place"], [output.name], axis=1)
            )
            continue
        stacked = [f"{each}_stacked" for each in every]
        pick += [
            helper.make_node("Unsqueeze", [each, axis.name], [to])
            for each, to in zip(every, stacked, strict=True)
        ]
        pick.append(helper.make_node("Concat", stacked, [together], axis=1))
        pick.append(helper.make_node("GatherND", [together, "place"], [output.name], batch_dims=1))
    fold = helper.make_tensor_value_info(FOLD, TensorProto.INT64, [BATCH_AXIS])
    constants = [tensor for proto in prefixed for tensor in proto.graph.initializer]
    return assembled(
        protos[0],
        name,
        [*(node for proto in prefixed for node in proto.graph.node), *pick],
        [*first.input, fold],
        first.output,
        [*constants, axis],
    )
