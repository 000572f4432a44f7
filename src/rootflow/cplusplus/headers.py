"""The headers that ONNX files need: files that differ only in their fold share one."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rootflow.cplusplus.fields import identifier
from rootflow.errors import InputError, UsageError
from rootflow.exported.contract import INTERFACE_KEY, OnnxContract
from rootflow.exported.session import open_exported


class Header(NamedTuple):
    """The files that a C++ header is for, by the fold that they may be applied to.

    `name` is that of the header and of its namespace; the contracts of the others differ from
    that of the first file in fold and provenance alone.
    """

    name: str
    contract: OnnxContract
    files: dict[int, str]


def headers_of(paths: Sequence[Path]) -> list[Header]:
    """Return the headers of some files, the named and the flat variant as two."""
    if not paths:
        raise UsageError("cplusplus: name one ONNX file of `rootflow export`, or more")
    found: dict[str, list[tuple[Path, OnnxContract]]] = {}
    for path in paths:
        contract = _contract(path)
        ending = "_flat" if contract.variant == "flat" else ""
        name = identifier(f"{contract.analysis}_{contract.model}{ending}")
        found.setdefault(name, []).append((path, contract))
    return [_header(name, files) for name, files in found.items()]


def _contract(path: Path) -> OnnxContract:
    session, contract = open_exported(path)
    if contract.variant == "athena":
        raise UsageError(f"{path}: for an inference tool of Athena; give the named or flat files")
    if contract.held_out is None:
        raise UsageError(f"{path}: has the models of all folds; give the files of each fold")
    if session.get_modelmeta().custom_metadata_map.get(INTERFACE_KEY) != contract.interface:
        raise InputError(
            f"{path}: its metadata have no {INTERFACE_KEY} of this version of rootflow: "
            "export the model again"
        )
    return contract


def _header(name: str, files: Sequence[tuple[Path, OnnxContract]]) -> Header:
    first_path, first = files[0]
    by_fold: dict[int, str] = {}
    for path, contract in files:
        if contract.interface != first.interface:
            raise UsageError(
                f"cplusplus: {path} and {first_path} have other inputs, outputs or folds; "
                "give files of one training and its folds"
            )
        fold = contract.held_out or 0  # None was refused
        if fold in by_fold:
            raise UsageError(
                f"cplusplus: {path} and {by_fold[fold]} may both be applied to fold {fold}; "
                "give one of them"
            )
        by_fold[fold] = path.name
    return Header(name, first, dict(sorted(by_fold.items())))
