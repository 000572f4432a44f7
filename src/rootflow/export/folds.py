"""The models of all folds as one graph that picks among them."""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from rootflow.export.entries import BATCH_AXIS

FOLD, SCORE = "fold", "score"


def with_all_folds(protos: Sequence[onnx.ModelProto], name: str) -> onnx.ModelProto:
    """Return one graph of the models of all folds, checked in full.

    Its inputs are theirs and `fold` (n,) int64, the fold that each event is in; its output
    `score` (n, 1) is that of the model at this place.

    Parameters
    ----------
    protos
        Of the same inputs and the output `score`; that at place k has not seen fold k.
    name
        Of the graph.
    """
    prefixed = [
        compose.add_prefix(proto, f"fold{place}/", rename_inputs=False)
        for place, proto in enumerate(protos)
    ]
    scores = [f"fold{place}/{SCORE}" for place in range(len(protos))]
    axis = numpy_helper.from_array(np.array([1], np.int64), "last_axis")
    pick = [
        helper.make_node("Concat", scores, ["scores"], axis=1),
        helper.make_node("Unsqueeze", [FOLD, axis.name], ["place"]),
        helper.make_node("GatherElements", ["scores", "place"], [SCORE], axis=1),
    ]
    first = protos[0].graph
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
