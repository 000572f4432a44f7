"""What a finished training says of itself."""

from pathlib import Path

from pydantic import ValidationError

from rootflow.config import FoldsConfig, ModelConfig
from rootflow.config.block import Block
from rootflow.errors import InputError
from rootflow.files import whole_file

RECORD = "training.json"
Fact = float | int | str


class Record(Block):
    """What is needed to use the network rightly, and how it came to be.

    Attributes
    ----------
    question
        Digest of the dataset and of the settings that decide the network.
    folds
        The network has seen all folds but `held_out`.
    features
        Names along the last axis of each input, in their order.
    """

    question: str
    dataset: str
    folds: FoldsConfig
    model: ModelConfig
    model_file: str
    features: dict[str, tuple[str, ...]]
    max_jets: int
    history: list[dict[str, float]]
    facts: dict[str, Fact]


def write_record(record: Record, directory: Path) -> None:
    """Write the record, whole: where it is, the training is finished."""
    with whole_file(directory / RECORD) as path:
        path.write_text(record.model_dump_json(indent=2) + "\n")


def read_record(directory: Path) -> Record | None:
    """Return the record of a finished training, None where it is not finished.

    Raises
    ------
    InputError
        The record cannot be read.
    """
    path = directory / RECORD
    if not path.exists():
        return None
    try:
        return Record.model_validate_json(path.read_text())
    except (ValidationError, OSError):
        raise InputError(
            f"{path}: the record is damaged: remove {directory} and train again"
        ) from None
