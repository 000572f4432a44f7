"""The table beside the files of several folds: which is for which events."""

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field

from rootflow.config.block import Block
from rootflow.errors import RootflowError
from rootflow.exported.contract import VERSION, ClassifierContract, Contract, ReconstructionContract

TABLE: Final = "folds.json"


class FoldsTable(Block):
    """What `folds.json` says; files are named as they are beside it.

    Attributes
    ----------
    folds
        The file for the events of each fold.
    all_folds
        One file for every event, which takes the fold as an input; None where there is none.
    targets
        Of each target of the export, the file for the events of each fold.
    sha256
        Of every file, as `sha256sum` gives it.
    contracts
        Of every file, see docs/onnx-contract.md.
    parity
        The rows of the proof.
    """

    contract_version: Literal[1] = VERSION
    folds: dict[str, str]
    all_folds: str | None
    targets: dict[str, dict[str, str]] = Field(default_factory=dict)
    sha256: dict[str, str]
    contracts: dict[str, Contract]
    parity: list[dict[str, Any]]

    def write(self, directory: Path) -> Path:
        """Write it into the directory of the files."""
        path = directory / TABLE
        path.write_text(self.model_dump_json(indent=2) + "\n")
        return path


def refuse_other_tensors(
    contracts: dict[str, ReconstructionContract] | dict[str, ClassifierContract],
) -> None:
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
