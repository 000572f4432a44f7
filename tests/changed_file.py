"""Exported files that say something else of themselves."""

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from rootflow.export.contract import write_metadata
from rootflow.export.layout import FlatLayout
from rootflow.exported.contract import ReconstructionContract, read_contract
from toy_events import FEATURES, UNITS


def with_contract(
    path: Path, target: Path, changed: dict[str, object], scale: float = 1.0
) -> ReconstructionContract:
    """Write a named file again with a changed contract, and weights of another scale."""
    proto = onnx.load(path)
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    contract = read_contract(metadata, str(path))
    assert isinstance(contract, ReconstructionContract)
    contract = contract.model_copy(update=changed)
    write_metadata(proto, contract, FlatLayout(FEATURES, UNITS, contract.max_jets))
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.ndim == 2:
            tensor.CopyFrom(numpy_helper.from_array(scale * values, tensor.name))
    onnx.save(proto, target)
    return contract
