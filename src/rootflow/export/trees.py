"""From boosted trees to an ONNX graph."""

from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier

from rootflow.export.composing import BATCH_AXIS, chained
from rootflow.export.conversion import convert
from rootflow.models import in_a_row, model_inputs
from rootflow.training.trees import TreesModel

# The first version with trees whose thresholds are doubles.
TREES_OPSET = 3
COLUMNS = "columns"


def convert_trees(model: TreesModel, opset: int) -> onnx.ModelProto:
    """Return trees as ONNX, from the arrays of events to their answer, checked in full.

    It is `score` (n, 1), or of more than two classes `probabilities` (n, classes). Beside the
    operator set, 15 to 20, the graph has one operator of the set ai.onnx.ml, which onnxruntime
    knows.
    """
    inputs = model_inputs(model.inputs)
    rows = convert(keras.Model(inputs, {COLUMNS: _Row(model)(inputs)}, name="row"), opset)
    ensemble = _ensemble(model.trees, opset)
    ensemble.ir_version = rows.ir_version
    whole = chained(rows, ensemble, {COLUMNS: COLUMNS})
    whole.graph.name = "boosted_trees"
    return whole


class _Row(keras.Layer):  # type: ignore[misc]
    """`in_a_row` as a layer: comparisons are of tensors only when a layer is called."""

    def __init__(self, model: TreesModel) -> None:
        super().__init__()
        self.model = model

    def call(self, arrays: dict[str, Any]) -> Any:
        return in_a_row(arrays, self.model.inputs, keras.ops)


def _ensemble(trees: HistGradientBoostingClassifier, opset: int) -> onnx.ModelProto:
    """Return the graph from (n, columns) float32 to the probability of class 1, or of each.

    Thresholds and leaves stay the doubles that they are, so that every row ends in the
    leaves in which scikit-learn has it; only the sigmoid is taken in float32.
    """
    classes = len(trees._baseline_prediction.ravel())
    name, sigmoid = ("score", "Sigmoid") if classes == 1 else ("probabilities", "Softmax")
    nodes = [
        helper.make_node("Cast", [COLUMNS], ["exact"], to=TensorProto.DOUBLE),
        helper.make_node(
            "TreeEnsembleRegressor",
            ["exact"],
            ["log_odds"],
            domain="ai.onnx.ml",
            n_targets=classes,
            aggregate_function="SUM",
            base_values_as_tensor=_doubles("base_values", trees._baseline_prediction.ravel()),
            **_attributes(trees),
        ),
        helper.make_node(sigmoid, ["log_odds"], [name]),
    ]
    graph = helper.make_graph(
        nodes,
        "trees",
        [
            helper.make_tensor_value_info(
                COLUMNS, TensorProto.FLOAT, [BATCH_AXIS, trees.n_features_in_]
            )
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [BATCH_AXIS, classes])],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)]
    return helper.make_model(graph, opset_imports=opsets)


def _attributes(trees: HistGradientBoostingClassifier) -> dict[str, Any]:
    """Return all nodes of all trees in a row, as the operator takes them."""
    # What scikit-learn has no public name for. An iteration has a tree for each class, but of two
    # classes one alone.
    grown_for, tables = zip(
        *[(k, tree.nodes) for each in trees._predictors for k, tree in enumerate(each)], strict=True
    )
    sizes = [len(table) for table in tables]
    node = np.concatenate(tables)
    tree_id = np.repeat(np.arange(len(tables)), sizes)
    node_id = np.concatenate([np.arange(size) for size in sizes])
    leaf = node["is_leaf"] == 1
    inner = ~leaf
    return {
        "nodes_treeids": tree_id.tolist(),
        "nodes_nodeids": node_id.tolist(),
        "nodes_featureids": np.where(leaf, 0, node["feature_idx"]).tolist(),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_values_as_tensor": _doubles("thresholds", np.where(leaf, 0, node["num_threshold"])),
        "nodes_truenodeids": np.where(inner, node["left"], 0).tolist(),
        "nodes_falsenodeids": np.where(inner, node["right"], 0).tolist(),
        "nodes_missing_value_tracks_true": np.where(inner, node["missing_go_to_left"], 0).tolist(),
        "target_treeids": tree_id[leaf].tolist(),
        "target_nodeids": node_id[leaf].tolist(),
        "target_ids": np.repeat(grown_for, sizes)[leaf].tolist(),
        "target_weights_as_tensor": _doubles("leaves", node["value"][leaf]),
    }


def _doubles(name: str, values: NDArray[Any]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, np.float64), name)
