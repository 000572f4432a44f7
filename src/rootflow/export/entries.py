"""What all exported files say in their metadata, and in their names."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from rootflow import __version__, checksum
from rootflow.config import FoldsConfig
from rootflow.config.yaml_text import read_yaml
from rootflow.exported.contract import KEY, OnnxContract, Tensor
from rootflow.exported.interface import INTERFACE_KEY, interface_digest
from rootflow.sources import code_digest

LIBRARIES = ("keras", "tensorflow-cpu", "scikit-learn", "tf2onnx", "onnx", "onnxruntime", "numpy")
# A field of the contract, and what the provenance calls it.
ORIGIN = {
    "dataset": "dataset",
    "git_commit": "training_git_commit",
    "run_id": "run_id",
    "trained_at": "trained_at",
}
UNKNOWN = "unknown"
BATCH_AXIS = "batch"


def origin_fields(
    analysis: str, provenance: Mapping[str, str], metrics: Mapping[str, float]
) -> dict[str, Any]:
    """Return the fields of a contract that say where the model came from, and how good it is."""
    said = {field: provenance.get(key, UNKNOWN) for field, key in ORIGIN.items()}
    return {
        **{field: None if value == UNKNOWN else value for field, value in said.items()},
        "rootflow_version": __version__,
        "code": code_digest(analysis, "dataset"),
        "libraries": {name: version(name) for name in LIBRARIES},
        "metrics": dict(metrics),
        "provenance": dict(provenance),
    }


def sealed(proto: onnx.ModelProto, contract: OnnxContract, entries: Mapping[str, str]) -> bytes:
    """Return the file with the contract in its metadata, and its checksum.

    The contract is there in full, and one by one with more entries.
    """
    every = {
        **{f"rootflow.provenance.{key}": value for key, value in contract.provenance.items()},
        KEY: contract.model_dump_json(),
        checksum.KEY: checksum.UNSEALED,
        "rootflow.contract_version": str(contract.contract_version),
        INTERFACE_KEY: interface_digest(contract),
        "rootflow.version": contract.rootflow_version,
        "rootflow.analysis": contract.analysis,
        "rootflow.model": contract.model,
        "rootflow.opset": str(contract.opset),
        "rootflow.precision": contract.precision,
        "rootflow.order": contract.order,
        "rootflow.may_be_applied_to": contract.may_be_applied_to,
        "input_names": ",".join(tensor.name for tensor in contract.inputs),
        **{tensor.name: _features(tensor) for tensor in contract.inputs if tensor.features},
        "output_names": ",".join(tensor.name for tensor in contract.outputs),
        **{f"{tensor.name}_shape": _shape(tensor) for tensor in contract.outputs},
        **entries,
    }
    onnx.helper.set_model_props(proto, every)
    proto.producer_name = "rootflow"
    proto.producer_version = contract.rootflow_version
    proto.doc_string = f"{contract.model}: {contract.may_be_applied_to}"
    return checksum.seal(proto.SerializeToString())


def range_of(values: NDArray[np.floating]) -> tuple[float, float] | None:
    """Return a range as a contract has it, None where there was nothing to take it of."""
    low, high = float(values.min()), float(values.max())
    return (low, high) if np.isfinite([low, high]).all() else None


def self_contained(branch_map: str) -> str | dict[str, Any]:
    """Return the name of a shipped map, or all that a user's own says."""
    if not branch_map.endswith((".yaml", ".yml")):
        return branch_map
    said: dict[str, Any] = read_yaml(Path(branch_map), "branch map")
    return said


def fold_name(folds: FoldsConfig) -> str:
    """Return the fold that a model has not seen, for the name of its file."""
    if folds.scheme == "parity":
        return ("even", "odd")[folds.held_out]
    rest = "_modulo" if folds.scheme == "modulo" else ""
    return f"fold{folds.held_out}of{folds.count}{rest}"


def fold_in_words(folds: FoldsConfig) -> str:
    """Return which events a model may be applied to."""
    if folds.scheme == "parity":
        return f"events with an {fold_name(folds)} event number"
    if folds.scheme == "modulo":
        return f"events whose event number modulo {folds.count} is {folds.held_out}"
    return f"events whose event number's hash gives fold {folds.held_out} of {folds.count}"


def _features(tensor: Tensor) -> str:
    return ",".join(feature.name for feature in tensor.features)


def _shape(tensor: Tensor) -> str:
    return ",".join(str(axis) for axis in tensor.shape if axis != BATCH_AXIS)
