"""From a Keras model to an ONNX graph, by tf2onnx or by Keras' own exporter."""

import logging
import tempfile
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import onnx
import onnx.version_converter
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray

from rootflow.config.export import Converter
from rootflow.errors import RootflowError
from rootflow.export.composing import BATCH_AXIS
from rootflow.export.operations import HANDLERS, compose
from rootflow.export.simplification import simplified

Arrays = Mapping[str, NDArray[Any]]
LAST_OPSET = 18  # of tf2onnx
Call = Callable[[Arrays], dict[str, NDArray[Any]]]


def convert(model: keras.Model, opset: int, converter: Converter = "tf2onnx") -> onnx.ModelProto:
    """Return the model as ONNX, with named axes, checked in full.

    It is a functional model from a dict of inputs to a dict of outputs, the operator set 15 to
    20; the converter `keras` calls tf2onnx as Keras does. A model that does not use one of its
    inputs, or uses an operation that the operator set does not have, as every random one of
    Keras is, is a RootflowError.
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


def compiled(model: keras.Model) -> Call:
    """Return the model as one traced function of numpy arrays, whatever the batch size."""
    function = tf.function(
        lambda inputs: model(inputs, training=False), input_signature=[signature(model)]
    )

    def call(inputs: Arrays) -> dict[str, NDArray[Any]]:
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
