"""The table beside the files of several folds: which is for which events."""

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field, ValidationError

from rootflow.config.block import Block
from rootflow.errors import InputError, RootflowError
from rootflow.exported.contract import VERSION, OnnxContract
from rootflow.files import read_bytes

TABLE: Final = "folds.json"


class FoldFiles(Block):
    """What has to be known of `folds.json` to open the files that it names.

    Attributes
    ----------
    folds
        The file for the events of each fold.
    """

    model_config = ConfigDict(extra="ignore")

    folds: dict[str, str] = Field(min_length=1)


class FoldsTable(FoldFiles):
    """What `folds.json` says; files are named as they are beside it.

    Attributes
    ----------
    all_folds
        One file for every event, which takes the fold as an input; None where there is none.
    targets
        Of each target of the export, the file for the events of each fold.
    sha256
        Of every file, as `sha256sum` gives it.
    contracts
        Of every file, see docs/onnx-contract.md.
    parity, precision
        The rows of the proof, and of what float16 and int8 cost.
    """

    model_config = ConfigDict(extra="forbid")

    contract_version: Literal[2] = VERSION
    all_folds: str | None
    targets: dict[str, dict[str, str]] = Field(default_factory=dict)
    sha256: dict[str, str]
    contracts: dict[str, OnnxContract]
    parity: list[dict[str, Any]]
    precision: list[dict[str, Any]]

    def write(self, directory: Path) -> Path:
        """Write it into the directory of the files."""
        path = directory / TABLE
        path.write_text(self.model_dump_json(indent=2) + "\n")
        return path


def read_folds(directory: Path) -> dict[str, str]:
    """Return the file for the events of each fold, by the table in the directory of the files.

    Raises
    ------
    InputError
        The table is not there, is no JSON, or does not say it.
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
    """Refuse files of one set that do not take the same inputs and give the same outputs.

    Parameters
    ----------
    contracts
        By the file's name.
    """
    first, *others = contracts
    for name in others:
        for part in ("inputs", "outputs"):
            if getattr(contracts[name], part) != getattr(contracts[first], part):
                raise RootflowError(
                    f"{name} has other {part} than {first}: the files of all folds must have the "
                    "same, so that nothing is exported"
                )
