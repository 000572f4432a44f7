"""Exported files made by hand, without a training: good ones and bad ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.dataset import Events
from rootflow.export.variant import sealed
from rootflow.exported.contract import (
    Collection,
    Feature,
    OnnxContract,
    Tensor,
)
from rootflow.sources import code_digest
from toy_events import UNITS
from toy_four_leptons import H4L_UNITS

KNOWN = {**H4L_UNITS, **UNITS}
OPSET = 17
CLEAN = {"training_git_tree": "clean", "training_git_commit": "0123abc"}
ALWAYS, NEVER = (1.0,) * 9, (-1.0,) * 9


def assigning_network(
    events: Events,
    simulation: str,
    tagged: Sequence[float] = ALWAYS,
    folds: FoldsConfig | None = None,
    **provenance: str,
) -> onnx.ModelProto:
    """Return a network that gives the jets of the highest b-tag to b and bbar.

    Parameters
    ----------
    events
        What it takes.
    simulation
        Digest in its provenance.
    tagged
        By the number of jets: 1, or -1 to choose those of the lowest b-tag.
    folds, provenance
        In its contract.
    """
    jets = events.jet_mask.shape[1]
    constants = {
        "btag": np.array(events.features["jets"].index("btag"), np.int64),
        "signs": np.array(tagged, np.float32),
        "one": np.array(1, np.float32),
        "much": np.array(1000, np.float32),
        "last": np.array([1], np.int64),
        "middle": np.array([2], np.int64),
        "same_jet": (1000 * np.eye(jets)).astype(np.float32),
        "flat": np.array([-1, jets * jets], np.int64),
        "square": np.array([-1, jets, jets], np.int64),
        "from": np.array([0], np.int64),
        "to": np.array([3], np.int64),
    }
    node = helper.make_node
    nodes = [
        node("Cast", ["jet_mask"], ["there"], to=TensorProto.FLOAT),
        node("Cast", ["jet_mask"], ["counted"], to=TensorProto.INT64),
        node("ReduceSum", ["counted", "last"], ["number"], keepdims=1),
        node("Gather", ["signs", "number"], ["sign"], axis=0),
        node("Gather", ["jets", "btag"], ["tags"], axis=2),
        node("Mul", ["tags", "sign"], ["wanted"]),
        node("Sub", ["one", "there"], ["absent"]),
        node("Mul", ["absent", "much"], ["penalty"]),
        node("Sub", ["wanted", "penalty"], ["score"]),
        node("Unsqueeze", ["score", "middle"], ["first"]),
        node("Unsqueeze", ["score", "last"], ["second"]),
        node("Add", ["first", "second"], ["both"]),
        node("Sub", ["both", "same_jet"], ["different"]),
        node("Reshape", ["different", "flat"], ["logits"]),
        node("Softmax", ["logits"], ["joint"], axis=1),
        node("Reshape", ["joint", "square"], ["assignment"]),
        node("Slice", ["leptons", "from", "to", "middle"], ["neutrinos"]),
    ]
    inputs = [
        _tensor("jets", "float32", (jets,), events.features["jets"]),
        Tensor(name="jet_mask", type="bool", shape=("batch", jets), meaning=""),
        _tensor("leptons", "float32", (2,), events.features["leptons"]),
        _tensor("met", "float32", (), events.features["met"]),
    ]
    outputs = [
        Tensor(name="assignment", type="float32", shape=("batch", jets, jets), meaning=""),
        Tensor(name="neutrinos", type="float32", shape=("batch", 2, 3), meaning=""),
    ]
    contract = OnnxContract(
        rootflow_version="0",
        analysis="ttbar",
        code=code_digest("ttbar", "dataset"),
        model="by_hand",
        opset=OPSET,
        order="",
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        may_be_applied_to="",
        provenance={"simulation": simulation, **CLEAN, **provenance},
        task="reconstruction",
        padding="",
        collections=(
            _collection(events, "jets", jets, "jet_mask"),
            _collection(events, "leptons", 2),
            _collection(events, "met"),
        ),
        folds=FoldingConfig(**(folds or FoldsConfig()).model_dump(exclude={"held_out"})),
        held_out=(folds or FoldsConfig()).held_out,
        uses={},
        branch_map="topcptoolkit",
        selection={},
    )
    return _proto(nodes, constants, contract)


def scoring_model(
    events: Events,
    simulation: str,
    feature: str = "m4l",
    centre: float = 125.0,
    folds: FoldingConfig | None = None,
    held_out: int | None = None,
    **provenance: str,
) -> onnx.ModelProto:
    """Return a classifier whose score is exp(-|feature - centre| / 10).

    m4l around 125 tells the signal very well, others do not. `held_out` makes it one of a
    fold; the other parameters are as of `assigning_network`.
    """
    constants = {
        "feature": np.array([events.features["event"].index(feature)], np.int64),
        "centre": np.array(centre, np.float32),
        "scale": np.array(-0.1, np.float32),
    }
    node = helper.make_node
    nodes = [
        node("Gather", ["event", "feature"], ["value"], axis=1),
        node("Sub", ["value", "centre"], ["difference"]),
        node("Abs", ["difference"], ["distance"]),
        node("Mul", ["distance", "scale"], ["exponent"]),
        node("Exp", ["exponent"], ["score"]),
    ]
    inputs = [_tensor("event", "float32", (), events.features["event"])]
    if held_out is None:
        inputs.append(Tensor(name="fold", type="int64", shape=("batch",), meaning=""))
    contract = OnnxContract(
        rootflow_version="0",
        analysis="h4l",
        code=code_digest("h4l", "dataset"),
        model="by_hand",
        opset=OPSET,
        order="",
        inputs=tuple(inputs),
        outputs=(Tensor(name="score", type="float32", shape=("batch", 1), meaning=""),),
        may_be_applied_to="",
        provenance={"simulation": simulation, **CLEAN, **provenance},
        task="classification",
        padding="",
        collections=(_collection(events, "event"),),
        folds=folds or FoldingConfig(),
        held_out=held_out,
        uses={"event": (feature,)},
        branch_map="atlas_open_data",
        selection={},
    )
    return _proto(nodes, constants, contract)


def examples(model: onnx.ModelProto, events: Events) -> tuple[dict[str, NDArray[Any]], ...]:
    """Return three events as a model takes them, and what it says of them."""
    import onnxruntime

    few = events.take(slice(0, 3))
    arrays = {**few.inputs(), "fold": few.fold.astype(np.int64)}
    inputs = {tensor.name: np.asarray(arrays[tensor.name]) for tensor in model.graph.input}
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [tensor.name for tensor in model.graph.output]
    return inputs, dict(zip(names, session.run(names, inputs), strict=True))


def _tensor(name: str, kind: str, slots: tuple[int, ...], features: tuple[str, ...]) -> Tensor:
    return Tensor(
        name=name,
        type=kind,
        shape=("batch", *slots, len(features)),
        meaning="",
        features=tuple(Feature(name=feature, unit=KNOWN[name][feature]) for feature in features),
    )


def _collection(
    events: Events, name: str, slots: int | None = None, mask: str | None = None
) -> Collection:
    units = {feature: KNOWN[name][feature] for feature in events.features[name]}
    return Collection(name=name, slots=slots, mask=mask, order=None, units=units)


TYPES = {"float32": TensorProto.FLOAT, "int64": TensorProto.INT64, "bool": TensorProto.BOOL}


def _proto(
    nodes: list[onnx.NodeProto],
    constants: dict[str, NDArray[Any]],
    contract: OnnxContract,
) -> onnx.ModelProto:
    inputs, outputs = (
        [helper.make_tensor_value_info(each.name, TYPES[each.type], each.shape) for each in side]
        for side in (contract.inputs, contract.outputs)
    )
    weights = [numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = helper.make_graph(nodes, "by_hand", inputs, outputs, weights)
    opset = [helper.make_opsetid("", OPSET)]
    proto = helper.make_model(graph, opset_imports=opset, ir_version=8)
    onnx.checker.check_model(proto, full_check=True)
    return onnx.ModelProto.FromString(sealed(proto, contract, {}))
