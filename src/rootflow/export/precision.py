"""Networks with weights of fewer bits, and what that costs in physics."""

import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    QuantFormat,
    QuantType,
    quantize_static,
)

from rootflow.config.export import Precision
from rootflow.dataset.events import Events
from rootflow.dataset.seen import batches
from rootflow.errors import InputError, RootflowError
from rootflow.export.conversion import quiet_logging
from rootflow.export.parity import Row, ask
from rootflow.exported.session import open_session
from rootflow.methods.answers import joined, reconstruction
from rootflow.methods.reconstruction.objects import at, four_momenta
from rootflow.physics.ttbar import top_pair, ttbar_mass

WEIGHTED = ("MatMul", "Gemm")
CALIBRATION_EVENTS = 512


def rounded(network: onnx.ModelProto, precision: Precision, events: Events) -> onnx.ModelProto:
    """Return the network with the products by its weights in float16 or int8.

    All else, its inputs and its outputs stay float32. The ranges of int8 are fixed, so
    that an event's answer does not depend on the others of its batch.

    Parameters
    ----------
    events
        The first of them set the ranges.
    """
    weighted = [node.name for node in network.graph.node if _has_weights(network, node)]
    if precision == "float16":
        return _in_half(network, set(weighted))
    with tempfile.TemporaryDirectory() as folder, quiet_logging():
        before, after = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(network, before)  # given the model itself it would leave weights in other files
        quantize_static(
            before,
            after,
            _Calibration(events.take(slice(0, _calibrating(events)))),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(WEIGHTED),
            nodes_to_quantize=weighted,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(after)


def _in_half(network: onnx.ModelProto, weighted: Collection[str]) -> onnx.ModelProto:
    """Return the network with these products in float16, and only them.

    onnxruntime's own converter also rounds what goes from one of the others to the next, so
    that squares of energies are infinite.
    """
    half = onnx.ModelProto()
    half.CopyFrom(network)
    nodes = list(half.graph.node)
    weights = {name for node in nodes if node.name in weighted for name in node.input[1:]}
    rounded_weights: dict[str, str] = {}
    for tensor in [each for each in half.graph.initializer if each.name in weights]:
        name = rounded_weights[tensor.name] = f"{tensor.name}_in_half"
        values = numpy_helper.to_array(tensor).astype(np.float16)
        half.graph.initializer.append(numpy_helper.from_array(values, name))
    del half.graph.node[:]
    for node in nodes:
        if node.name not in weighted:
            half.graph.node.append(node)
            continue
        rows, product = f"{node.output[0]}_rows", f"{node.output[0]}_product"
        cast = helper.make_node("Cast", node.input[:1], [rows], to=TensorProto.FLOAT16)
        back = helper.make_node("Cast", [product], node.output[:1], to=TensorProto.FLOAT)
        node.input[:] = [rows, *(rounded_weights[name] for name in node.input[1:])]
        node.output[:] = [product]
        half.graph.node.extend([cast, node, back])
    used = {name for node in half.graph.node for name in node.input}
    kept = [tensor for tensor in half.graph.initializer if tensor.name in used]
    del half.graph.initializer[:]
    half.graph.initializer.extend(kept)
    return half


def cost(
    network: onnx.ModelProto,
    lower: onnx.ModelProto,
    precision: Precision,
    accuracy_loss_max: float,
    events: Events,
) -> Row:
    """Return what the lower precision costs, on events that did not set its ranges.

    Returns
    -------
    dict
        `precision`, `events`; of those whose two b jets are among the jets, weighted, the
        `accuracy_before` and `accuracy_after` of the assignment, their difference
        `accuracy_loss` and its error `accuracy_loss_error`, the events being the same; the
        median of |m(ttbar) / truth - 1| `mtt_error_before` and `mtt_error_after`.

    Raises
    ------
    RootflowError
        The loss is above `accuracy_loss_max`.
    InputError
        No event has both b jets among its jets.
    """
    others = events.take(slice(_calibrating(events), None))
    if others.assignment is None or others.tops is None:
        raise InputError(f"export: {precision} is measured on events with truth, these have none")
    both = np.all(others.assignment >= 0, axis=1)
    if not np.any(both):
        raise InputError(f"export: no event has both b jets to measure {precision} on")
    matched, truth = others.take(both), others.assignment[both]
    mass = ttbar_mass(others.tops[both])
    said = [_said(proto, matched) for proto in (network, lower)]
    right = [np.all(assignment == truth, axis=1) for assignment, _ in said]
    errors = [_mtt_error(*answer, matched, mass) for answer in said]
    weight = matched.weight / matched.weight.sum()
    lost = right[0].astype(float) - right[1]
    loss = float(np.sum(weight * lost))
    row: Row = {
        "precision": precision,
        "events": len(matched),
        "accuracy_before": float(np.sum(weight * right[0])),
        "accuracy_after": float(np.sum(weight * right[1])),
        "accuracy_loss": loss,
        "accuracy_loss_error": float(np.sqrt(np.sum((weight * (lost - loss)) ** 2))),
        "mtt_error_before": errors[0],
        "mtt_error_after": errors[1],
    }
    if loss > accuracy_loss_max:
        raise RootflowError(
            f"{precision} costs {loss:.4f} +- {row['accuracy_loss_error']:.4f} of assignment "
            f"accuracy ({row['accuracy_before']:.4f} before), more than "
            f"export.accuracy_loss_max: {accuracy_loss_max}; nothing is exported"
        )
    return row


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Gives the inputs of events, all at once."""

    def __init__(self, events: Events) -> None:
        self._batches = iter([events.inputs()])

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._batches, None)


def _calibrating(events: Events) -> int:
    """Return how many events set the ranges: the first half of few."""
    return min(CALIBRATION_EVENTS, len(events) // 2)


def _has_weights(network: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    constants = {tensor.name for tensor in network.graph.initializer}
    return node.op_type in WEIGHTED and constants.issuperset(node.input[1:])


def _said(
    network: onnx.ModelProto, events: Events
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the assignment (n, 2) and the neutrinos (n, 2, 3) that a network gives events."""
    session = open_session(network.SerializeToString())
    parts = [ask(session, batch.inputs()) for batch in batches(events)]
    outputs = joined(parts)
    return reconstruction(outputs, events.jet_mask).assignment, outputs["neutrinos"]


def _mtt_error(
    assignment: NDArray[np.int32],
    neutrinos: NDArray[np.float32],
    events: Events,
    mass: NDArray[np.float64],
) -> float:
    """Return the median of |m(ttbar) / truth - 1|."""
    jets, leptons = at(four_momenta(events, "jets"), assignment), four_momenta(events, "leptons")
    return float(np.median(np.abs(ttbar_mass(top_pair(jets, leptons, neutrinos)) / mass - 1)))
