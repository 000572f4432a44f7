"""The models of all folds as one graph that picks among them."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from rootflow.export.about import BATCH_AXIS, FOLD


def with_all_folds(protos: Sequence[onnx.ModelProto], name: str) -> onnx.ModelProto:
    """Return one graph of the models of all folds, checked in full.

    Its inputs are theirs and `fold` (n,) int64, the fold that each event is in; its outputs
    are those of the model at this place.

    Parameters
    ----------
    protos
        Of the same inputs and outputs; that at place k was not trained on fold k.
    name
        Of the graph.
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
    graph = helper.make_graph(
        [node for proto in prefixed for node in proto.graph.node] + pick,
        name,
        [*first.input, helper.make_tensor_value_info(FOLD, TensorProto.INT64, [BATCH_AXIS])],
        list(first.output),
        [tensor for proto in prefixed for tensor in proto.graph.initializer] + [axis],
    )
    whole: onnx.ModelProto = helper.make_model(
        graph, opset_imports=protos[0].opset_import, ir_version=protos[0].ir_version
    )
    onnx.checker.check_model(whole, full_check=True)
    return whole
