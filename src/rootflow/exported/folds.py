"""The files of a model: one, several, or those that the table in a folder names for its folds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field, ValidationError

from rootflow.config.block import Block
from rootflow.errors import InputError, RootflowError
from rootflow.exported.contract import VERSION, OnnxContract
from rootflow.files import read_bytes

TABLE: Final = "folds.json"


class FoldFiles(Block):
    """What has to be known of `folds.json` to open the files for the events of each fold."""

    model_config = ConfigDict(extra="ignore")

    folds: dict[str, str] = Field(min_length=1)


class FoldsTable(FoldFiles):
    """What `folds.json` says; files are named as they are beside it.

    Of `targets` it has the files by fold, `sha256` and `contracts` are by file, `all_folds` takes
    the fold as an input, and the rows are of the proof and of what float16 and int8 cost.
    """

    model_config = ConfigDict(extra="forbid")

    contract_version: Literal[2] = VERSION
    all_folds: str | None
    targets: dict[str, dict[str, str]] = Field(default_factory=dict)
    sha256: dict[str, str]
    contracts: dict[str, OnnxContract]
    parity: list[dict[str, Any]]
    precision: list[dict[str, Any]]


def model_files(paths: Sequence[Path]) -> list[Path]:
    """Return the ONNX files of a model, those of a folder in the order of their folds."""
    if not paths:
        raise InputError(f"no model: name a folder with {TABLE}, or ONNX files")
    if len(paths) == 1 and paths[0].is_dir():
        return _files_of_folder(paths[0])
    for path in paths:
        if path.is_dir():
            raise InputError(f"{path}: a folder beside other models: name it alone")
    return list(paths)


def read_folds(directory: Path) -> dict[str, str]:
    """Return the file for the events of each fold, by the table in the directory of the files.

    A table that is not there, is no JSON, or does not say it, is an InputError.
    """
    table = directory / TABLE
    try:
        return FoldFiles.model_validate_json(read_bytes(table)).folds
    except FileNotFoundError:
        raise InputError(
            f"{table}: there is no such file, as `rootflow export` writes it where it exports "
            "all folds; of a single fold name the ONNX file itself"
        ) from None
    except OSError as error:
        raise InputError(f"{table}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        [first, *_] = error.errors()
        if first["type"] == "json_invalid":
            raise InputError(f"{table}: cannot be read as JSON: {first['msg']}") from None
        raise InputError(
            f"{table}: does not say under 'folds' which file is for which fold"
        ) from None


def refuse_other_tensors(contracts: dict[str, OnnxContract]) -> None:
    """Refuse files of one set, by their names, that do not have the same inputs and outputs."""
    first, *others = contracts
    for name in others:
        for part in ("inputs", "outputs"):
            if getattr(contracts[name], part) != getattr(contracts[first], part):
                raise RootflowError(
                    f"{name} has other {part} than {first}: the files of all folds must have the "
                    "same, so that nothing is exported"
                )


def _files_of_folder(folder: Path) -> list[Path]:
    table = folder / TABLE
    names = read_folds(folder)
    if set(names) != {str(fold) for fold in range(len(names))}:
        raise InputError(
            f"{table}: has files of the folds {', '.join(names)}: not of each, from 0 on"
        )
    files = [folder / names[str(fold)] for fold in range(len(names))]
    for file in files:
        if not file.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{table}: names a file outside its folder, {file}")
    return files
