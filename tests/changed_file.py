"""Exported files that say something else of themselves."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from rootflow import checksum
from rootflow.config import FoldingConfig, FoldsConfig
from rootflow.export.variant import sealed
from rootflow.exported.contract import OnnxContract, read_contract


def with_contract(
    path: Path, target: Path, changed: dict[str, object], scale: float = 1.0
) -> OnnxContract:
    """Write a named file again with a changed contract, and weights of another scale."""
    proto = onnx.load(path)
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    contract = read_contract(metadata, str(path))
    if isinstance(folds := changed.get("folds"), FoldsConfig):
        folding = FoldingConfig(count=folds.count, scheme=folds.scheme)
        changed = changed | {"folds": folding, "held_out": folds.held_out}
    contract = contract.model_copy(update=changed)
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 2:
            tensor.CopyFrom(numpy_helper.from_array(scale * values, tensor.name))
    entries = {"rootflow.fold_held_out": str(contract.held_out)}
    target.write_bytes(sealed(proto, contract, entries))
    return contract


def with_metadata(path: Path, target: Path, changes: dict[str, str | None]) -> Path:
    """Write a file again with other entries, or without those that are None, and sealed."""
    proto = onnx.load(path)
    metadata: dict[str, str | None] = {entry.key: entry.value for entry in proto.metadata_props}
    metadata |= changes | {checksum.KEY: checksum.UNSEALED}
    kept = {key: value for key, value in metadata.items() if value is not None}
    onnx.helper.set_model_props(proto, kept)
    target.write_bytes(checksum.seal(proto.SerializeToString()))
    return target
