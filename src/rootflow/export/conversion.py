"""From a Keras model to an ONNX graph, by tf2onnx or by Keras' own exporter."""

import logging
import tempfile
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np
import onnx
import onnx.version_converter
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from rootflow.config.export import Converter, ExportConfig, Precision
from rootflow.errors import RootflowError
from rootflow.export.about import FULL
from rootflow.export.composing import BATCH_AXIS
from rootflow.export.layout import Layout
from rootflow.export.simplification import simplified
from rootflow.exported.session import Arrays

LAST_OPSET = 18  # of tf2onnx
VALUE = "value"
# One after the other: operation, operands.
Steps = tuple[tuple[str | float, ...], ...]
# What converters do not know, made of ONNX operations.
COMPOSED: dict[str, Steps] = {
    "Erfc": (("Erf", VALUE), ("Sub", 1.0, VALUE)),
    "Expm1": (("Exp", VALUE), ("Sub", VALUE, 1.0)),
    "Log1p": (("Add", VALUE, 1.0), ("Log", VALUE)),
}


class Converted(NamedTuple):
    """A model as ONNX, the collections that it takes, and what the model says of such inputs."""

    proto: onnx.ModelProto
    layout: Layout
    says: Callable[[Arrays], Arrays]
    config: ExportConfig
    precision: Precision = FULL

    @property
    def inputs(self) -> list[str]:
        """The names of what goes in."""
        return [value.name for value in self.proto.graph.input]

    @property
    def outputs(self) -> dict[str, list[int | str]]:
        """The shape of what comes out, by name."""
        return {
            value.name: [
                axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim
            ]
            for value in self.proto.graph.output
        }


def convert(model: keras.Model, opset: int, converter: Converter = "tf2onnx") -> onnx.ModelProto:
    """Return a functional model from a dict to a dict as ONNX, with named axes, checked in full.

    The operator set is 15 to 20. A RootflowError is one that does not use all of its inputs, or
    uses operations that the set does not have, as the random ones of Keras are.
    """
    inputs = {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for name, tensor in model.input.items()
    }
    # tf2onnx takes the names of the outputs from the layers that they come from.
    outputs = {
        name: keras.layers.Identity(name=name)(tensor) for name, tensor in model(inputs).items()
    }
    wrapped = keras.Model(inputs, outputs, name=model.name)
    made_for = min(opset, LAST_OPSET)
    with quiet_logging():
        proto = CONVERTERS[converter](wrapped, made_for)
    compose(proto, made_for)
    _refuse_broken(proto, inputs, made_for)
    _tidy(proto, wrapped)
    proto = simplified(proto)
    if opset > LAST_OPSET:
        proto = onnx.version_converter.convert_version(proto, opset)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def _by_tf2onnx(model: keras.Model, opset: int) -> onnx.ModelProto:
    proto: onnx.ModelProto
    proto, _ = tf2onnx.convert.from_keras(
        model, input_signature=[signature(model)], opset=opset, custom_op_handlers=HANDLERS
    )
    return proto


def _by_keras(model: keras.Model, opset: int) -> onnx.ModelProto:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of numpy, for how Keras asks it
        path = Path(folder) / "model.onnx"
        model.export(
            path,
            format="onnx",
            verbose=False,
            input_signature=[signature(model)],
            opset_version=opset,
        )
        return onnx.load(path)


CONVERTERS: dict[Converter, Callable[[keras.Model, int], onnx.ModelProto]] = {
    "tf2onnx": _by_tf2onnx,
    "keras": _by_keras,
}


def compiled(model: keras.Model) -> Callable[[Mapping[str, NDArray[Any]]], Arrays]:
    """Return the model as one traced function of numpy arrays, whatever the batch size."""
    function = tf.function(
        lambda inputs: model(inputs, training=False), input_signature=[signature(model)]
    )

    def call(inputs: Mapping[str, NDArray[Any]]) -> Arrays:
        tensors = {name: tf.convert_to_tensor(array) for name, array in inputs.items()}
        return {name: tensor.numpy() for name, tensor in function(tensors).items()}

    return call


def signature(model: keras.Model) -> dict[str, tf.TensorSpec]:
    """Return what a functional model takes, for any number of events."""
    return {
        name: tf.TensorSpec((None, *tensor.shape[1:]), tensor.dtype, name=name)
        for name, tensor in model.input.items()
    }


def _refuse_broken(proto: onnx.ModelProto, inputs: Collection[str], opset: int) -> None:
    operations = {node.op_type for node in proto.graph.node}
    # tf2onnx only logs an operation that it cannot translate, and leaves it in the graph.
    unknown = sorted(op for op in operations if not onnx.defs.has(op, opset))
    if unknown:
        raise RootflowError(
            f"the model cannot be exported: ONNX operator set {opset} has no "
            f"{', '.join(unknown)}; use a layer or an activation that is made of other operations"
        )
    used = {name for node in proto.graph.node for name in node.input}
    unused = sorted(name for name in inputs if name not in used)
    added = sorted({value.name for value in proto.graph.input} - set(inputs))
    if unused or added:
        fault = f"it does not use {', '.join(unused)}" if unused else f"it wants {', '.join(added)}"
        raise RootflowError(
            f"the model cannot be exported: {fault}, and its inputs are {', '.join(inputs)}"
        )


def _tidy(proto: onnx.ModelProto, model: keras.Model) -> None:
    """Name graph and axes, put the tensors in the model's order, drop what nothing uses."""
    graph = proto.graph
    for values, tensors in ((graph.input, model.input), (graph.output, model.output)):
        types = {value.name: value.type.tensor_type.elem_type for value in values}
        del values[:]
        values.extend(
            helper.make_tensor_value_info(name, types[name], [BATCH_AXIS, *tensor.shape[1:]])
            for name, tensor in tensors.items()
        )
    del graph.value_info[:]
    graph.name = model.name
    for domain in [domain for domain in proto.opset_import if domain.domain]:
        proto.opset_import.remove(domain)


@contextmanager
def quiet_logging() -> Iterator[None]:
    """Keep converters from logging what is said better, or what they leave as it is."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _renamed(operation: str) -> tuple[Callable[[Any, Any, str, Any], None], list[Any]]:
    """Return what leaves an operation that tf2onnx finds as it is, but for its name."""

    def handler(graph: Any, node: Any, name: str, arguments: Any) -> None:  # noqa: ARG001 - tf2onnx calls it so
        node.type = operation

    return handler, []


HANDLERS = {
    "SelectV2": _renamed("Where"),  # else it multiplies by 0 and 1, which NaN survives
    "Log": _renamed("Log"),  # else it is done in float32 in graphs of float64
}


def compose(proto: onnx.ModelProto, opset: int) -> None:
    """Replace operations that a converter left in a graph though ONNX has none such."""
    graph = proto.graph
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        if node.op_type not in COMPOSED or onnx.defs.has(node.op_type, opset):
            graph.node.append(node)
            continue
        value, steps = node.input[0], COMPOSED[node.op_type]
        for number, (operation, *operands) in enumerate(steps, start=1):
            constant = f"{node.name}_{number}"
            names = [value if operand == VALUE else constant for operand in operands]
            graph.initializer.extend(
                numpy_helper.from_array(np.array(operand, np.float32), constant)
                for operand in operands
                if operand != VALUE
            )
            value = node.output[0] if number == len(steps) else f"{node.output[0]}_{number}"
            graph.node.append(helper.make_node(str(operation), names, [value]))
