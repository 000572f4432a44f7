"""From boosted trees to an ONNX graph."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import keras
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from rootflow.export.composing import BATCH_AXIS, chained
from rootflow.export.conversion import convert
from rootflow.models.classifier_inputs import in_a_row, model_inputs
from rootflow.models.tree_columns import AXES, LOG_ODDS, MOMENTA, NEUTRINOS, PAIRS, THERE
from rootflow.training.reconstruction_trees import ReconstructionTrees
from rootflow.training.trees import Trees, TreesModel

# The first version with trees whose thresholds are doubles.
TREES_OPSET = 3
COLUMNS = "columns"
AnyTrees: TypeAlias = HistGradientBoostingClassifier | HistGradientBoostingRegressor


def convert_trees(model: Trees, opset: int) -> onnx.ModelProto:
    """Return trees as ONNX, from the arrays of events to their outputs, checked in full.

    Thresholds and leaves stay doubles, so that every row ends in scikit-learn's leaves; only
    sigmoid and softmax are in float32. Beside the operator set, 15 to 20, it has one
    operator of ai.onnx.ml, which onnxruntime knows.
    """
    if isinstance(model, ReconstructionTrees):
        whole = _reconstruction(model, opset)
    elif isinstance(model, TreesModel):
        inputs = model_inputs(model.inputs)
        rows = convert(keras.Model(inputs, {COLUMNS: _Row(model)(inputs)}, name="row"), opset)
        whole = chained(rows, _classifier(model.trees, opset, rows.ir_version), {COLUMNS: COLUMNS})
    else:
        raise TypeError(f"no trees that can be exported: {type(model).__name__}")
    whole.graph.name = "boosted_trees"
    return whole


class _Row(keras.Layer):  # type: ignore[misc]
    """`in_a_row` as a layer: comparisons are of tensors only when a layer is called."""

    def __init__(self, model: TreesModel) -> None:
        super().__init__()
        self.model = model

    def call(self, arrays: dict[str, Any]) -> Any:
        return in_a_row(arrays, self.model.inputs, keras.ops)


def _classifier(
    trees: HistGradientBoostingClassifier, opset: int, ir_version: int
) -> onnx.ModelProto:
    """Return the graph from (n, columns) float32 to the probability of class 1, or of each."""
    classes = len(trees._baseline_prediction.ravel())
    name, link = ("score", "Sigmoid") if classes == 1 else ("probabilities", "Softmax")
    nodes = [*_ensemble([trees], COLUMNS, LOG_ODDS), helper.make_node(link, [LOG_ODDS], [name])]
    columns = {COLUMNS: [trees.n_features_in_]}
    return _model(nodes, columns, {name: [classes]}, opset, ir_version)


def _reconstruction(model: ReconstructionTrees, opset: int) -> onnx.ModelProto:
    """Return the graph from the arrays of events to `assignment` and `neutrinos`."""
    columns, answer = convert(model.columns, opset), convert(model.answer, opset)
    seen = {name: list(tensor.shape[1:]) for name, tensor in model.columns.output.items()}
    said = {name: list(tensor.shape[1:]) for name, tensor in model.answer.input.items()}
    # What no trees see is passed on, under another name.
    names = {LOG_ODDS: LOG_ODDS, MOMENTA: MOMENTA, AXES: f"{AXES}_passed", THERE: f"{THERE}_passed"}
    shapes = {
        "pair_rows": [-1, seen[PAIRS][-1]],
        "neutrino_rows": [-1, seen[NEUTRINOS][-1]],
        "of_pairs": [-1, *said[LOG_ODDS]],
        "of_neutrinos": [-1, *said[MOMENTA]],
    }
    nodes = [
        helper.make_node("Reshape", [PAIRS, "pair_rows_shape"], ["pair_rows"]),
        *_ensemble([model.pairs], "pair_rows", "of_pairs"),
        helper.make_node("Reshape", ["of_pairs", "of_pairs_shape"], [LOG_ODDS]),
        helper.make_node("Reshape", [NEUTRINOS, "neutrino_rows_shape"], ["neutrino_rows"]),
        *_ensemble(model.neutrinos, "neutrino_rows", "of_neutrinos"),
        helper.make_node("Reshape", ["of_neutrinos", "of_neutrinos_shape"], [MOMENTA]),
        *(helper.make_node("Identity", [name], [names[name]]) for name in (AXES, THERE)),
    ]
    constants = [
        numpy_helper.from_array(np.array(shape, np.int64), f"{name}_shape")
        for name, shape in shapes.items()
    ]
    given = {names[name]: shape for name, shape in said.items()}
    trees = _model(nodes, seen, given, opset, columns.ir_version, constants)
    whole = chained(columns, trees, {name: name for name in seen})
    return chained(whole, answer, {names[name]: name for name in said})


def _model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, list[int]],
    outputs: Mapping[str, list[int]],
    opset: int,
    ir_version: int,
    constants: Sequence[onnx.TensorProto] = (),
) -> onnx.ModelProto:
    """Return a model of nodes, with the shapes of its tensors for one event."""

    def tensors(shapes: Mapping[str, list[int]]) -> list[onnx.ValueInfoProto]:
        return [
            helper.make_tensor_value_info(
                name,
                TensorProto.BOOL if name.startswith(THERE) else TensorProto.FLOAT,
                [BATCH_AXIS, *shape],
            )
            for name, shape in shapes.items()
        ]

    graph = helper.make_graph(nodes, "trees", tensors(inputs), tensors(outputs), constants)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)


def _ensemble(trees: Sequence[AnyTrees], columns: str, said: str) -> list[onnx.NodeProto]:
    """Return the nodes from columns (rows, columns) to what the trees say (rows, numbers).

    A classifier says the log-odds of each class, regressors a number each.
    """
    base = np.concatenate([each._baseline_prediction.ravel() for each in trees])
    exact = f"{columns}/exact"
    return [
        helper.make_node("Cast", [columns], [exact], to=TensorProto.DOUBLE),
        helper.make_node(
            "TreeEnsembleRegressor",
            [exact],
            [said],
            domain="ai.onnx.ml",
            n_targets=len(base),
            aggregate_function="SUM",
            base_values_as_tensor=_doubles("base_values", base),
            **_attributes(trees),
        ),
    ]


def _attributes(trees: Sequence[AnyTrees]) -> dict[str, Any]:
    """Return all nodes of all trees in a row, as the operator takes them."""
    # What scikit-learn has no public name for. An iteration has a tree for each class, but of two
    # classes and of numbers one alone.
    grown_for, tables = zip(
        *[
            (first + k, tree.nodes)
            for first, each in enumerate(trees)
            for grown in each._predictors
            for k, tree in enumerate(grown)
        ],
        strict=True,
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
