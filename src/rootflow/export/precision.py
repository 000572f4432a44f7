"""Networks with weights of fewer bits."""

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
from rootflow.export.conversion import quiet_logging
from rootflow.export.parity import Arrays

WEIGHTED = ("MatMul", "Gemm")
CALIBRATION_EVENTS = 512


def rounded(network: onnx.ModelProto, precision: Precision, inputs: Arrays) -> onnx.ModelProto:
    """Return the network with the products by its weights in float16 or int8.

    All else, its inputs and its outputs stay float32. The ranges of int8 are fixed, so
    that an event's answer does not depend on the others of its batch.

    Parameters
    ----------
    inputs
        Of the network; the first events set the ranges.
    """
    network = _single(network)
    weighted = [node.name for node in network.graph.node if _has_weights(network, node)]
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
    single = onnx.ModelProto()
    single.CopyFrom(network)
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


def _has_weights(network: onnx.ModelProto, node: onnx.NodeProto) -> bool:
    constants = {tensor.name for tensor in network.graph.initializer}
    return node.op_type in WEIGHTED and constants.issuperset(node.input[1:])
