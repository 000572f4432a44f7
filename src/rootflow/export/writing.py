"""Proven models as files: of one, or of several folds with a table, whole or not at all."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import onnx

from rootflow.config.export import Precision, Target
from rootflow.errors import UsageError
from rootflow.export.about import FULL, in_precision
from rootflow.export.conversion import Converted
from rootflow.export.parity import Row
from rootflow.exported.contract import OnnxContract
from rootflow.exported.folds import TABLE, FoldsTable, refuse_other_tensors
from rootflow.exported.session import Arrays, open_exported
from rootflow.files import whole_directory

Kind = tuple[Target, Precision]


@dataclass(frozen=True)
class Prepared:
    """A model's files, by target and precision, before they are written: all proven.

    There are the rows of the proof, see `rootflow.export.parity.compared`, and of what float16 and
    int8 cost, see `rootflow.export.precision.cost`; a few real events, and what the model says of
    them; and the model as ONNX before it was laid out. No fold is held out of the models of all.
    """

    stem: str
    held_out: int | None
    names: dict[Kind, str]
    contents: dict[Kind, bytes]
    contracts: dict[Kind, OnnxContract]
    parity: list[Row]
    physics: list[Row]
    input_example: Arrays
    output_example: Arrays
    converted: dict[Precision, Converted]

    @property
    def model(self) -> onnx.ModelProto:
        """The named variant, as it is in its file."""
        model: onnx.ModelProto = onnx.ModelProto.FromString(self.contents["named", FULL])
        return model


@dataclass(frozen=True)
class Export(Prepared):
    """What an export gives of a model: its files in a directory.

    The table has the contracts of all files with the proof as JSON; of several models it says
    which files are for which fold, and all have the same.
    """

    directory: Path
    table_path: Path

    @property
    def files(self) -> dict[Kind, Path]:
        """The ONNX files, by target and precision."""
        return {kind: self.directory / name for kind, name in self.names.items()}

    @property
    def named_path(self) -> Path:
        """The file for Python and the registry."""
        return self.files["named", FULL]

    @property
    def paths(self) -> list[Path]:
        """Every file."""
        return [*self.files.values(), self.table_path]


def write(prepared: Sequence[Prepared], directory: Path) -> list[Export]:
    """Write the files of one model, or of those of several folds with a table, or nothing.

    There is one prepared for each fold, and maybe that of all folds together. A directory that is
    there already is a UsageError, models with other inputs and outputs are a RootflowError.
    """
    if directory.exists():
        raise UsageError(f"{directory}: there already; export to a new directory")
    (first, *others) = prepared
    beside = _table(prepared) if others else _beside(first)
    table_name = TABLE if others else f"{first.stem}.json"
    with whole_directory(directory) as partial:
        for each in prepared:
            for kind, content in each.contents.items():
                path = partial / each.names[kind]
                path.write_bytes(content)
                open_exported(path)  # as whoever uses it will: checksum, contract, tensors
        (partial / table_name).write_text(f"{beside}\n")
    return [
        Export(
            **{field.name: getattr(each, field.name) for field in fields(Prepared)},
            directory=directory,
            table_path=directory / table_name,
        )
        for each in prepared
    ]


def _beside(prepared: Prepared) -> str:
    """Return the contracts of a model's files and the proof, as JSON."""
    labels = {
        kind: in_precision(contract.variant, contract.precision)
        for kind, contract in prepared.contracts.items()
    }
    said = {
        "files": {label: prepared.names[kind] for kind, label in labels.items()},
        "sha256": _sums([prepared]),
        **{
            label: prepared.contracts[kind].model_dump(mode="json")
            for kind, label in labels.items()
        },
        "parity": prepared.parity,
        "precision": prepared.physics,
    }
    return json.dumps(said, indent=2)


def _table(prepared: Sequence[Prepared]) -> str:
    """Return which file is for which fold, once all have the same inputs and outputs, as JSON."""
    of_folds = [each for each in prepared if each.held_out is not None]
    all_folds = [each.names["named", FULL] for each in prepared if each.held_out is None]
    of_kind: dict[Kind, dict[str, str]] = {}
    for kind in prepared[0].names:
        contracts = {each.names[kind]: each.contracts[kind] for each in of_folds}
        refuse_other_tensors(contracts)
        of_kind[kind] = {str(contract.held_out): name for name, contract in contracts.items()}
    table = FoldsTable(
        folds=of_kind["named", FULL],
        all_folds=all_folds[0] if all_folds else None,
        targets={in_precision(*kind): files for kind, files in of_kind.items()},
        sha256=_sums(prepared),
        contracts={
            name: each.contracts[kind] for each in prepared for kind, name in each.names.items()
        },
        parity=[row for each in prepared for row in each.parity],
        precision=[{"fold": each.held_out, **row} for each in of_folds for row in each.physics],
    )
    return table.model_dump_json(indent=2)


def _sums(prepared: Iterable[Prepared]) -> dict[str, str]:
    return {
        name: hashlib.sha256(each.contents[kind]).hexdigest()
        for each in prepared
        for kind, name in each.names.items()
    }
