"""The networks that ONNX files are of: files that differ only in their fold are one."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rootflow.cplusplus.fields import identifier
from rootflow.errors import InputError, UsageError
from rootflow.exported.contract import OnnxContract
from rootflow.exported.interface import INTERFACE_KEY, interface_digest
from rootflow.exported.session import open_exported


class Network(NamedTuple):
    """Files that one C++ header is for.

    Attributes
    ----------
    name
        Of the header and of its namespace.
    contract
        That of the first file; those of the others differ in fold and provenance alone.
    interface
        The digest that every file has in its metadata.
    files
        Their names, by the fold that they may be applied to.
    """

    name: str
    contract: OnnxContract
    interface: str
    files: dict[int, str]


def networks_of(paths: Sequence[Path]) -> list[Network]:
    """Return the networks of some files, the named and the flat variant as two.

    Raises
    ------
    InputError
        A file is not there, is not one of `rootflow export`, or is of an older one.
    UsageError
        There is no file, one is a classifier, two of a network have different inputs or
        outputs, or two may be applied to the same fold.
    """
    if not paths:
        raise UsageError("cplusplus: name one ONNX file of `rootflow export`, or more")
    found: dict[str, list[tuple[Path, OnnxContract]]] = {}
    for path in paths:
        contract = _contract(path)
        found.setdefault(_name(contract), []).append((path, contract))
    return [_network(name, files) for name, files in found.items()]


def _contract(path: Path) -> OnnxContract:
    session, contract = open_exported(path)
    if contract.task != "reconstruction":
        raise UsageError(
            f"{path}: a classifier; C++ is written for networks that assign jets, "
            "those of the ttbar analysis"
        )
    if contract.variant == "athena":
        raise UsageError(f"{path}: for an inference tool of Athena; give the named or flat files")
    metadata = session.get_modelmeta().custom_metadata_map
    if metadata.get(INTERFACE_KEY) != interface_digest(contract):
        raise InputError(
            f"{path}: its metadata have no {INTERFACE_KEY} of this version of rootflow: "
            "export the model again"
        )
    return contract


def _name(contract: OnnxContract) -> str:
    ending = "_flat" if contract.variant == "flat" else ""
    return identifier(f"{contract.analysis}_{contract.model}{ending}")


def _network(name: str, files: Sequence[tuple[Path, OnnxContract]]) -> Network:
    first_path, first = files[0]
    interface = interface_digest(first)
    by_fold: dict[int, str] = {}
    for path, contract in files:
        if interface_digest(contract) != interface:
            raise UsageError(
                f"cplusplus: {path} and {first_path} have other inputs, outputs or folds; "
                "give files of one training and its folds"
            )
        fold = contract.held_out or 0
        if fold in by_fold:
            raise UsageError(
                f"cplusplus: {path} and {by_fold[fold]} may both be applied to fold {fold}; "
                "give one of them"
            )
        by_fold[fold] = path.name
    return Network(name, first, interface, dict(sorted(by_fold.items())))
