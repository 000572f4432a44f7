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
Handler = Callable[[Any, Any, str, Any], None]
VALUE = "value"
# One after the other: operation, operands.
Steps = tuple[tuple[str | float, ...], ...]
# What converters do not know, or round, made of ONNX operations.
COMPOSED: dict[str, Steps] = {
    "Erfc": (("Erf", VALUE), ("Sub", 1.0, VALUE)),
    "Expm1": (("Exp", VALUE), ("Sub", VALUE, 1.0)),
    "Log": (("Log", VALUE),),  # else tf2onnx does it in float32 in graphs of float64
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
        proto = onnx.load(path)
    compose(proto, opset)
    return proto


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
    for values, tensors in (
        (proto.graph.input, model.input),
        (proto.graph.output, model.output),
    ):
        by_name = {value.name: value for value in values}
        del values[:]
        for name, tensor in tensors.items():
            values.append(
                onnx.helper.make_tensor_value_info(
                    name,
                    by_name[name].type.tensor_type.elem_type,
                    [BATCH_AXIS, *tensor.shape[1:]],
                )
            )
    del proto.graph.value_info[:]
    proto.graph.name = model.name
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


def _made(
    steps: Steps,
    name: str,
    value: str,
    constant: Callable[[str, Any], str],
    node: Callable[[str, list[str], bool], str],
) -> None:
    """Make the nodes of the steps one after the other, the last of which gives the result."""
    for step, (operation, *operands) in enumerate(steps, start=1):
        names = [
            value if operand == VALUE else constant(f"{name}_{step}", np.float32(operand))
            for operand in operands
        ]
        value = node(str(operation), names, step == len(steps))


def _handler(steps: Steps) -> tuple[Handler, list[Any]]:
    """Return what does the steps in place of an operation that tf2onnx finds."""

    def handler(graph: Any, node: Any, name: str, arguments: Any) -> None:  # noqa: ARG001 - tf2onnx calls it so
        result = {
            "outputs": [node.output[0]],
            "shapes": node.output_shapes,
            "dtypes": node.output_dtypes,
        }
        value = node.input[0]
        graph.remove_node(node.name)
        _made(
            steps,
            node.name,
            value,
            lambda name, number: graph.make_const(name, number).output[0],
            lambda operation, names, last: graph.make_node(
                operation, names, **(result if last else {})
            ).output[0],
        )

    return handler, []


def _where(graph: Any, node: Any, name: str, arguments: Any) -> None:  # noqa: ARG001 - tf2onnx calls it so
    """Choose with one operation: tf2onnx would multiply by 0 and 1, which NaN survives."""
    node.type = "Where"


HANDLERS: dict[str, tuple[Handler, list[Any]]] = {
    **{name: _handler(steps) for name, steps in COMPOSED.items()},
    "SelectV2": (_where, []),
}


def compose(proto: onnx.ModelProto, opset: int) -> None:
    """Replace operations that a converter left in a graph though ONNX has none such."""
    nodes = list(proto.graph.node)
    del proto.graph.node[:]
    for node in nodes:
        if node.op_type not in COMPOSED or onnx.defs.has(node.op_type, opset):
            proto.graph.node.append(node)
        else:
            _replace(proto.graph, node)


def _replace(graph: onnx.GraphProto, node: onnx.NodeProto) -> None:
    def constant(name: str, number: Any) -> str:
        graph.initializer.append(numpy_helper.from_array(np.asarray(number), name))
        return name

    def made(operation: str, names: list[str], last: bool) -> str:
        result = node.output[0] if last else f"{node.output[0]}_{len(graph.node)}"
        graph.node.append(helper.make_node(operation, names, [result]))
        return str(result)

    _made(COMPOSED[node.op_type], node.name, node.input[0], constant, made)
