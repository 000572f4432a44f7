"""From boosted trees to an ONNX graph."""

from typing import Any

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier

from rootflow.export.conversion import chained, convert
from rootflow.export.entries import BATCH_AXIS
from rootflow.models import in_a_row, model_inputs
from rootflow.training.trees import TreesModel

# The first version with trees whose thresholds are doubles.
TREES_OPSET = 3
COLUMNS = "columns"


def convert_trees(model: TreesModel, opset: int) -> onnx.ModelProto:
    """Return trees as ONNX, from the arrays of events to `score`, checked in full.

    Thresholds and leaves stay the doubles that they are, so that every event ends in the
    leaves in which scikit-learn has it; only the sigmoid is taken in float32.

    Parameters
    ----------
    model
        The trees.
    opset
        The ONNX operator set, 15 to 20; beside it the graph has one operator of the set
        ai.onnx.ml, which onnxruntime knows.

    Raises
    ------
    RootflowError
        The columns that the trees see cannot be converted.
    """
    columns = convert(_columns(model), opset)
    trees = _ensemble(model.trees, opset)
    trees.ir_version = columns.ir_version
    whole = chained(columns, trees, {COLUMNS: COLUMNS})
    whole.graph.name = "boosted_trees"
    return whole


def _columns(model: TreesModel) -> keras.Model:
    """Return the graph of what trees see of an event."""
    inputs = model_inputs(model.inputs)
    return keras.Model(inputs, {COLUMNS: _Row(model)(inputs)}, name="row")


class _Row(keras.Layer):  # type: ignore[misc]
    """`in_a_row` as a layer: comparisons are of tensors only when a layer is called."""

    def __init__(self, model: TreesModel) -> None:
        super().__init__()
        self.model = model

    def call(self, arrays: dict[str, Any]) -> Any:
        return in_a_row(arrays, self.model.inputs, keras.ops)


def _ensemble(trees: HistGradientBoostingClassifier, opset: int) -> onnx.ModelProto:
    """Return the graph from (n, columns) float32 to the probability of class 1, (n, 1)."""
    nodes = [
        helper.make_node("Cast", [COLUMNS], ["exact"], to=TensorProto.DOUBLE),
        helper.make_node(
            "TreeEnsembleRegressor",
            ["exact"],
            ["log_odds"],
            domain="ai.onnx.ml",
            n_targets=1,
            aggregate_function="SUM",
            base_values_as_tensor=_doubles("base_values", trees._baseline_prediction.ravel()),
            **_attributes(trees),
        ),
        helper.make_node("Sigmoid", ["log_odds"], ["score"]),
    ]
    graph = helper.make_graph(
        nodes,
        "trees",
        [
            helper.make_tensor_value_info(
                COLUMNS, TensorProto.FLOAT, [BATCH_AXIS, trees.n_features_in_]
            )
        ],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, [BATCH_AXIS, 1])],
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)]
    return helper.make_model(graph, opset_imports=opsets)


def _attributes(trees: HistGradientBoostingClassifier) -> dict[str, Any]:
    """Return all nodes of all trees in a row, as the operator takes them."""
    # What scikit-learn has no public name for; one tree an iteration where there are two classes.
    tables = [tree.nodes for (tree,) in trees._predictors]
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
        "target_ids": np.zeros(leaf.sum(), int).tolist(),
        "target_weights_as_tensor": _doubles("leaves", node["value"][leaf]),
    }


def _doubles(name: str, values: NDArray[Any]) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, np.float64), name)
