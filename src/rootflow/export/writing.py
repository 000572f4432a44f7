"""Proven networks as files: of one, or of one for each fold with a table, whole or not at all."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import onnx
from numpy.typing import NDArray

from rootflow.config.export import Precision, Target
from rootflow.errors import UsageError
from rootflow.export.parity import Row
from rootflow.exported.contract import OnnxContract
from rootflow.exported.folds import TABLE, FoldsTable, refuse_other_tensors
from rootflow.exported.session import open_file
from rootflow.files import whole_directory

FULL: Precision = "float32"
Kind = tuple[Target, Precision]


class Prepared(NamedTuple):
    """A network's files before they are written: all proven.

    Attributes
    ----------
    names, contents, contracts
        Of each file, by target and precision.
    parity
        The proof's rows, see `rootflow.export.parity.compared`.
    physics
        The rows of what float16 and int8 cost, see `rootflow.export.precision.rounded`.
    model
        The named variant, as it is in its file.
    input_example, output_example
        A few real events, and what that file says of them, by name.
    """

    stem: str
    names: dict[Kind, str]
    contents: dict[Kind, bytes]
    contracts: dict[Kind, OnnxContract]
    parity: list[Row]
    physics: list[Row]
    model: onnx.ModelProto
    input_example: dict[str, NDArray[Any]]
    output_example: dict[str, NDArray[Any]]


class Export(NamedTuple):
    """What an export gives.

    Attributes
    ----------
    files
        The ONNX files, by target and precision.
    contract_path
        The contracts of all of them, with the proof, as JSON.
    table_path
        Which files are for which fold, where there are several; else None.
    parity, physics, model, input_example, output_example
        As in `Prepared`.
    """

    files: dict[Kind, Path]
    contract_path: Path
    table_path: Path | None
    parity: list[Row]
    physics: list[Row]
    model: onnx.ModelProto
    input_example: dict[str, NDArray[Any]]
    output_example: dict[str, NDArray[Any]]

    @property
    def named_path(self) -> Path:
        """The file for Python and the registry."""
        return self.files["named", FULL]

    @property
    def flat_path(self) -> Path | None:
        """The file for TopCPToolkit, None where it was not asked for."""
        return self.files.get(("topcptoolkit-flat", FULL))

    @property
    def paths(self) -> list[Path]:
        """Every file."""
        beside = [self.contract_path, self.table_path]
        return [*self.files.values(), *(path for path in beside if path)]


def write(prepared: Sequence[Prepared], directory: Path) -> list[Export]:
    """Write the files of one network, or of one for each fold with a table, or nothing.

    Raises
    ------
    RootflowError
        The networks of the folds do not have the same inputs and outputs.
    UsageError
        The directory is there already.
    """
    refuse_existing(directory)
    table = _table(prepared) if len(prepared) > 1 else None
    with whole_directory(directory) as partial:
        for each in prepared:
            for kind, content in each.contents.items():
                path = partial / each.names[kind]
                path.write_bytes(content)
                open_file(path)  # as whoever uses it will: checksum, contract, tensors
            (partial / f"{each.stem}.json").write_text(json.dumps(_beside(each), indent=2) + "\n")
        if table:
            table.write(partial)
    return [
        Export(
            files={kind: directory / name for kind, name in each.names.items()},
            contract_path=directory / f"{each.stem}.json",
            table_path=directory / TABLE if table else None,
            parity=each.parity,
            physics=each.physics,
            model=each.model,
            input_example=each.input_example,
            output_example=each.output_example,
        )
        for each in prepared
    ]


def refuse_existing(directory: Path) -> None:
    """Refuse to write where something is."""
    if directory.exists():
        raise UsageError(f"{directory}: there already; export to a new directory")


def _beside(prepared: Prepared) -> dict[str, Any]:
    """Return the contracts of a network's files and the proof."""
    contracts = prepared.contracts.items()
    return {
        "files": {_label(contract): prepared.names[kind] for kind, contract in contracts},
        "sha256": _sums([prepared]),
        **{_label(contract): contract.model_dump(mode="json") for _, contract in contracts},
        "parity": prepared.parity,
        "precision": prepared.physics,
    }


def in_precision(name: str, precision: Precision) -> str:
    """Return a name with the precision at its end, where it is not the full one."""
    return name if precision == FULL else f"{name}_{precision}"


def _label(contract: OnnxContract) -> str:
    return in_precision(contract.variant, contract.precision)


def _table(prepared: Sequence[Prepared]) -> FoldsTable:
    """Return which file is for which fold, once all have the same inputs and outputs."""
    of_kind: dict[Kind, dict[str, str]] = {}
    for kind in prepared[0].names:
        contracts = {each.names[kind]: each.contracts[kind] for each in prepared}
        refuse_other_tensors(contracts)
        of_kind[kind] = {str(contract.held_out): name for name, contract in contracts.items()}
    return FoldsTable(
        folds=of_kind["named", FULL],
        all_folds=None,
        targets={in_precision(*kind): files for kind, files in of_kind.items()},
        sha256=_sums(prepared),
        contracts={
            name: each.contracts[kind] for each in prepared for kind, name in each.names.items()
        },
        parity=[
            {"fold": each.contracts["named", FULL].held_out, **row}
            for each in prepared
            for row in each.parity
        ],
    )


def _sums(prepared: Iterable[Prepared]) -> dict[str, str]:
    return {
        name: hashlib.sha256(each.contents[kind]).hexdigest()
        for each in prepared
        for kind, name in each.names.items()
    }
