"""The state of a training between two epochs, on disk."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.checksum import read_sealed, seal_archive
from rootflow.errors import InputError
from rootflow.files import NO_ARRAY, whole_file

if TYPE_CHECKING:
    import keras

CHECKPOINT = "checkpoint.npz"
ARRAYS = ("variables", "best")
Arrays = list[NDArray[Any]]


class Checkpoint(NamedTuple):
    """Everything that the next epoch depends on."""

    question: str  # what is being trained, as of `rootflow.training.fitting.question`
    history: list[dict[str, float]]  # metrics of the epochs so far
    variables: Arrays  # weights, states of the random generators, the optimizer's variables
    best: Arrays  # weights of the best epoch
    events: int  # that the training steps of these epochs took
    seconds: float  # in training steps
    validation_seconds: float


def write_checkpoint(checkpoint: Checkpoint, directory: Path) -> None:
    """Write the checkpoint in place of an earlier one, whole or not at all."""
    about = checkpoint._asdict()
    arrays = {
        f"{name}_{number}": array for name in ARRAYS for number, array in enumerate(about.pop(name))
    }
    with whole_file(directory / CHECKPOINT) as path:
        np.savez(path, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
        seal_archive(path)


def read_checkpoint(directory: Path) -> Checkpoint | None:
    """Return the checkpoint, None where there is none; one that is damaged is an InputError."""
    path = directory / CHECKPOINT
    if not path.exists():
        return None
    again = f"remove {directory} and train again"
    content = read_sealed(path, again)
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            about |= {name: _list(file, name) for name in ARRAYS}
        return Checkpoint(**about)
    except NO_ARRAY:
        raise InputError(f"{path}: the checkpoint is damaged: {again}") from None


def state(model: "keras.Model") -> Arrays:
    """Return copies of all variables of a compiled model and of its optimizer."""
    return [np.array(variable) for variable in _variables(model)]


def restore(model: "keras.Model", variables: Sequence[NDArray[Any]]) -> None:
    """Set all variables of a compiled model and of its optimizer."""
    for variable, value in zip(_variables(model), variables, strict=True):
        variable.assign(value)


def _variables(model: "keras.Model") -> "list[keras.Variable]":
    return [*model.variables, *model.optimizer.variables]


def _list(file: Mapping[str, NDArray[Any]], name: str) -> Arrays:
    count = sum(key.startswith(f"{name}_") for key in file)
    return [file[f"{name}_{number}"] for number in range(count)]
