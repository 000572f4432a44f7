"""Networks with weights of fewer bits, and what they cost in physics."""

import copy
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

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
from rootflow.dataset.folds import batches
from rootflow.errors import InputError, RootflowError
from rootflow.export.conversion import Converted, quiet_logging
from rootflow.export.parity import Row
from rootflow.exported.session import Arrays, ask, open_session
from rootflow.methods.model import over, reconstruction
from rootflow.methods.reconstruction.objects import at, four_momenta
from rootflow.physics.ttbar import top_pair, ttbar_mass

WEIGHTED = ("MatMul", "Gemm")
CALIBRATION_EVENTS = 512


def rounded(network: onnx.ModelProto, precision: Precision, inputs: Arrays) -> onnx.ModelProto:
    """Return the network with the products by its weights in float16 or int8.

    All else, its inputs and its outputs stay float32. The ranges of int8 are set by the first
    events of the inputs and are fixed, so that an event's answer does not depend on the others
    of its batch.
    """
    network = _single(network)
    constants = {tensor.name for tensor in network.graph.initializer}
    weighted = [
        node.name
        for node in network.graph.node
        if node.op_type in WEIGHTED and constants.issuperset(node.input[1:])
    ]
    if precision == "float16":
        return _in_half(network, set(weighted))
    with tempfile.TemporaryDirectory() as folder, quiet_logging():
        before, after = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(network, before)  # given the model itself it would leave weights in other files
        quantize_static(
            before,
            after,
            _Calibration(inputs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(WEIGHTED),
            nodes_to_quantize=weighted,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # onnxruntime 1.15 leaves out the rounding of a product that is rounded again after a
            # ReLU, later versions do not.
            extra_options={"OpTypesToExcludeOutputQuantization": list(WEIGHTED)},
        )
        return onnx.load(after)


def _single(network: onnx.ModelProto) -> onnx.ModelProto:
    """Return the network with all that it computes in float64 in float32."""
    single = copy.deepcopy(network)
    held = [each.t for node in single.graph.node for each in node.attribute if each.HasField("t")]
    for tensor in (*single.graph.initializer, *held):
        if tensor.data_type == TensorProto.DOUBLE:
            values = numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    for node in single.graph.node:
        for attribute in node.attribute:
            if attribute.name in ("to", "dtype") and attribute.i == TensorProto.DOUBLE:
                attribute.i = TensorProto.FLOAT
    del single.graph.value_info[:]
    return single


def _in_half(network: onnx.ModelProto, weighted: Collection[str]) -> onnx.ModelProto:
    """Return the network with these products in float16, and only them.

    onnxruntime's own converter also rounds what goes from one of the others to the next, so
    that squares of energies are infinite.
    """
    half = copy.deepcopy(network)
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


class _Calibration(CalibrationDataReader):  # type: ignore[misc]
    """Gives the first of some events, all at once."""

    def __init__(self, inputs: Arrays) -> None:
        count = calibrating(min(map(len, inputs.values())))
        self._batches = iter([{name: array[:count] for name, array in inputs.items()}])

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        return next(self._batches, None)


def calibrating(events: int) -> int:
    """Return how many of some events set the ranges: the first half of few."""
    return min(CALIBRATION_EVENTS, events // 2)


class Loss(NamedTuple):
    """A figure of merit before and after, and the error of the difference."""

    before: float
    after: float
    error: float


def cost(full: Converted, lower: Converted, loss_max: float, events: Events) -> Row:
    """Return what the lower precision costs, on events that did not set its ranges.

    The row has `precision`, `events`, and of a figure of merit, weighted, `accuracy_before`,
    `accuracy_after`, their difference `accuracy_loss` and its error `accuracy_loss_error`, the
    events being the same. For networks that assign jets it is the accuracy where both b jets are
    among the jets, beside the median of |m(ttbar) / truth - 1| `mtt_error_before` and
    `mtt_error_after`; for classifiers `auc_...`, the area under the ROC curve, with several classes
    the mean of those of each against the others. A loss above `loss_max` is a RootflowError.
    """
    others = events.take(slice(calibrating(len(events)), None))
    name, what, measured = "auc", "AUC", _of_classes
    if "assignment" in full.outputs:
        name, what, measured = "accuracy", "assignment accuracy", _of_assignment
    loss, row = measured(full, lower, others)
    lost = loss.before - loss.after
    if lost > loss_max:
        raise RootflowError(
            f"{lower.precision} costs {lost:.4f} +- {loss.error:.4f} of {what} "
            f"({loss.before:.4f} before), more than "
            f"export.accuracy_loss_max: {loss_max}; nothing is exported"
        )
    figures = (loss.before, loss.after, lost, loss.error)
    endings = ("before", "after", "loss", "loss_error")
    return row | {f"{name}_{each}": value for each, value in zip(endings, figures, strict=True)}


def _of_assignment(full: Converted, lower: Converted, events: Events) -> tuple[Loss, Row]:
    precision = lower.precision
    if events.assignment is None or events.tops is None:
        raise InputError(f"export: {precision} is measured on events with truth, these have none")
    if not np.any(events.matched):
        raise InputError(f"export: no event has both b jets to measure {precision} on")
    truth, mass = events.assignment[events.matched], ttbar_mass(events.tops[events.matched])
    matched = events.take(events.matched)
    jets, leptons = (four_momenta(matched, name) for name in ("jets", "leptons"))
    right, errors = [], []
    for converted in (full, lower):
        said = _said(converted, matched)
        chosen = reconstruction(said, matched.jet_mask).assignment
        right.append(np.all(chosen == truth, axis=1))
        found = ttbar_mass(top_pair(at(jets, chosen), leptons, said["neutrinos"]))
        errors.append(float(np.median(np.abs(found / mass - 1))))
    weight = matched.weight / matched.weight.sum()
    lost = right[0].astype(float) - right[1]
    loss = float(np.sum(weight * lost))
    before, after = (float(np.sum(weight * each)) for each in right)
    error = float(np.sqrt(np.sum((weight * (lost - loss)) ** 2)))
    return Loss(before, after, error), {
        "precision": precision,
        "events": len(matched),
        "mtt_error_before": errors[0],
        "mtt_error_after": errors[1],
    }


def _of_classes(full: Converted, lower: Converted, events: Events) -> tuple[Loss, Row]:
    precision = lower.precision
    if events.label is None:
        raise InputError(f"export: {precision} is measured on events with labels, these have none")
    simulated = events.take(events.simulated)
    label, weight = np.asarray(simulated.label), np.abs(simulated.weight)
    said = [_said(converted, simulated) for converted in (full, lower)]
    (name,) = full.outputs
    columns = {1: 0} if name == "score" else {k: k for k in range(said[0][name].shape[1])}
    losses = []
    for each, column in columns.items():
        of_class = np.asarray(label == each)
        if of_class.all() or not of_class.any():
            raise InputError(
                f"export: no event to measure {precision} on is of class {each}, or none of another"
            )
        before, after = (_auc(answer[name][:, column], of_class, weight) for answer in said)
        losses.append(_difference(before, after, of_class, weight))
    mean = np.mean(losses, axis=0)
    error = float(np.sqrt(np.sum(np.square([each.error for each in losses])))) / len(losses)
    row: Row = {"precision": precision, "events": len(simulated)}
    return Loss(float(mean[0]), float(mean[1]), error), row


def _auc(
    score: NDArray[np.floating], signal: NDArray[np.bool_], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return (n,) for each event how much of the other kind it is ranked rightly against.

    Their weighted mean over the signal, and that over the rest, is the area.
    """
    placed = np.empty(len(score))
    for own, others, sign in ((signal, ~signal, 1), (~signal, signal, -1)):
        values = sign * score[others]
        order = np.argsort(values, kind="stable")
        below = np.concatenate([[0.0], np.cumsum(weight[others][order])])
        low, high = (
            below[np.searchsorted(values[order], sign * score[own], side)]
            for side in ("left", "right")
        )
        placed[own] = (low + high) / 2 / below[-1]
    return placed


def _difference(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    signal: NDArray[np.bool_],
    weight: NDArray[np.float64],
) -> Loss:
    """Return both areas and the error of their difference (DeLong et al., Biometrics 44)."""
    lost, variance = before - after, 0.0
    for own in (signal, ~signal):
        share = weight[own] / weight[own].sum()
        variance += float(np.sum((share * (lost[own] - np.sum(share * lost[own]))) ** 2))
    share = weight[signal] / weight[signal].sum()
    areas = [float(np.sum(share * placed[signal])) for placed in (before, after)]
    return Loss(areas[0], areas[1], float(np.sqrt(variance)))


def _said(converted: Converted, events: Events) -> Arrays:
    """Return what the graph says of events, by name."""
    session = open_session(converted.proto.SerializeToString())
    feeds = [batch.inputs() for batch in batches(events)]
    parts = [ask(session, {name: each[name] for name in converted.inputs}) for each in feeds]
    return over(np.concatenate, parts)
