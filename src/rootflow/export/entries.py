"""What all exported files say in their metadata, and in their names."""

from collections.abc import Mapping

import onnx

from rootflow.config import FoldsConfig
from rootflow.exported.contract import KEY, OnnxContract
from rootflow.exported.interface import INTERFACE_KEY, interface_digest


def write_entries(
    proto: onnx.ModelProto, contract: OnnxContract, entries: Mapping[str, str]
) -> None:
    """Put the contract into the file's metadata, in full, and one by one with more entries."""
    every = {
        **{f"rootflow.provenance.{key}": value for key, value in contract.provenance.items()},
        KEY: contract.model_dump_json(),
        INTERFACE_KEY: interface_digest(contract),
        "rootflow.version": contract.rootflow_version,
        "rootflow.analysis": contract.analysis,
        "rootflow.model": contract.model,
        "rootflow.opset": str(contract.opset),
        "rootflow.order": contract.order,
        "rootflow.may_be_applied_to": contract.may_be_applied_to,
        **entries,
    }
    onnx.helper.set_model_props(proto, every)
    proto.producer_name = "rootflow"
    proto.producer_version = contract.rootflow_version
    proto.doc_string = f"{contract.model}: {contract.may_be_applied_to}"


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
