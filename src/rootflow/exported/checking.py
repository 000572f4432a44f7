"""Whether a file is what `rootflow export` wrote, found out without running it."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto

from rootflow.checksum import check_seal
from rootflow.errors import InputError
from rootflow.exported.contract import KEY, OnnxContract, read_contract

TYPES: dict[int, str] = {
    TensorProto.FLOAT: "float32",
    TensorProto.INT64: "int64",
    TensorProto.BOOL: "bool",
}
Described = tuple[str, str, list[int | str]]  # name, type, shape


def check_content(content: bytes, where: str) -> OnnxContract:
    """Return the contract of a file that keeps it: its checksum, tensors and data are as said."""
    proto = _parsed(content, where)
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    if KEY in metadata:
        check_seal(content, where)
    contract = read_contract(metadata, where)
    outside = sorted(
        _location(tensor)
        for tensor in _tensors(proto)
        if tensor.external_data or tensor.data_location == TensorProto.EXTERNAL
    )
    if outside:
        raise InputError(
            f"{where}: has data in another file ({outside[0]}), which files of rootflow never "
            "have: nothing of it is read"
        )
    for values, tensors in (
        (proto.graph.input, contract.inputs),
        (proto.graph.output, contract.outputs),
    ):
        said = [(tensor.name, tensor.type, list(tensor.shape)) for tensor in tensors]
        there = [_described(value) for value in values]
        if there != said:
            raise InputError(
                f"{where}: its contract ({KEY}) says {_in_words(said)}, and its graph has "
                f"{_in_words(there)}: export the model again"
            )
    return contract


def refuse_other_outputs(contract: OnnxContract, where: Path | str) -> None:
    """Refuse a file for Python whose tensors are not those that its answers are made of."""
    for tensor in (*contract.inputs, *contract.outputs):
        if not all(isinstance(axis, int) for axis in tensor.shape[1:]):
            raise InputError(
                f"{where}: {tensor.name} is {list(tensor.shape)}, of which only the first axis, "
                "that of the events, may have any length: export the model again"
            )
    there = {tensor.name: tensor.shape[1:] for tensor in contract.outputs}
    shapes: dict[str, tuple[int, ...]] = {"score": (1,)}
    if contract.task == "reconstruction":
        shapes = {"assignment": (contract.slots.get("jets", 0),) * 2, "neutrinos": (2, 3)}
    elif "probabilities" in there:
        shapes = {"probabilities": (len(contract.classes),)}
    for name, shape in shapes.items():
        if there.get(name) != shape:
            what = f"is {['batch', *there[name]]}" if name in there else "is missing"
            raise InputError(
                f"{where}: its output {name} {what}, not {['batch', *shape]}: "
                "export the model again"
            )


def _parsed(content: bytes, where: str) -> onnx.ModelProto:
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(content)
    except DecodeError:
        proto.Clear()
    if not proto.HasField("graph") or not proto.opset_import:
        raise InputError(f"{where}: not a whole ONNX file: no ONNX, or cut short")
    return proto


def _tensors(message: Any) -> Iterator[TensorProto]:
    """Yield every tensor of a model, wherever it is: in constants and in graphs within graphs."""
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for part in value if field.is_repeated else [value]:
            if isinstance(part, TensorProto):
                yield part
            else:
                yield from _tensors(part)


def _location(tensor: TensorProto) -> str:
    named = [str(entry.value) for entry in tensor.external_data if entry.key == "location"]
    return named[0] if named else "without a name"


def _described(value: onnx.ValueInfoProto) -> Described:
    tensor = value.type.tensor_type
    shape = [axis.dim_param or axis.dim_value for axis in tensor.shape.dim]
    return value.name, TYPES.get(tensor.elem_type, "another type"), shape


def _in_words(tensors: Sequence[Described]) -> str:
    return ", ".join(f"{name} {kind} {shape}" for name, kind, shape in tensors) or "nothing"
