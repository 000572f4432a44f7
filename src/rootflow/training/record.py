"""What a finished training says of itself."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, ValidationError

from rootflow.analysis import TaskName
from rootflow.checksum import read_sealed, sealed_json
from rootflow.config import ClassifierConfig, FoldsConfig, InputsConfig, OwnNetworkConfig
from rootflow.config.block import Block
from rootflow.config.model import ModelConfig
from rootflow.errors import InputError, UsageError
from rootflow.files import whole_file
from rootflow.plugins import resolve

if TYPE_CHECKING:
    import keras

    from rootflow.training.trees import Trees

RECORD = "training.json"
Fact = float | int | str
History = list[dict[str, float]]
OnEpoch = Callable[[int, Mapping[str, float]], None]
Outcome = tuple[History, dict[str, Fact]]
# Before the names of metrics of an epoch, and of those of the best epoch.
TRAINING, VALIDATION, BEST = "training_", "validation_", "best_"
# The best epoch is that with the lowest.
MONITOR = f"{VALIDATION}loss"


def named(prefix: str, metrics: Mapping[str, float]) -> dict[str, float]:
    """Return the metrics with this before their names."""
    return {f"{prefix}{name}": value for name, value in metrics.items()}


def best_of(history: History) -> int:
    """Return the place of the best epoch; epochs count from 1, so its number is one more."""
    return int(np.argmin([metrics[MONITOR] for metrics in history]))


def facts_of(history: History) -> dict[str, Fact]:
    """Return how many epochs there were, which was the best, and its validation metrics."""
    best = best_of(history)
    validated = {
        f"{BEST}{name}": value
        for name, value in history[best].items()
        if name.startswith(VALIDATION)
    }
    return {"epochs": len(history), "best_epoch": best + 1, **validated}


class Record(Block):
    """What is needed to use the model rightly, and how it came to be."""

    question: str  # digest of what the training saw and of the settings that decide the model
    dataset: str  # that of the time: others with the same simulation find the training, too
    task: TaskName
    folds: FoldsConfig  # the model has seen all but `held_out`
    # In this order: settings of reconstructions have what those of classifiers do not know.
    model: ClassifierConfig | ModelConfig = Field(union_mode="left_to_right")
    model_file: str
    features: dict[str, tuple[str, ...]]  # along the last axis of each input
    max_jets: int
    inputs: InputsConfig | None = None  # which of them the model is given, None: all
    classes: tuple[str, ...] = ()  # of a classifier, by label
    history: History
    facts: dict[str, Fact]


def load_fitted(directory: Path) -> "keras.Model | Trees":
    """Return the network or the trees that a training left in its folder.

    Where it is not finished, or cannot be read, it is an InputError; where the module of a network
    of one's own cannot be imported, a UsageError.
    """
    record = read_record(directory)
    path = directory / record.model_file
    # Here, and not above: TensorFlow and scikit-learn take seconds.
    if record.model.architecture == "boosted_trees":
        from rootflow.training.trees import load_trees

        return load_trees(path)
    from rootflow.models.saving import load_model

    if isinstance(record.model, OwnNetworkConfig):
        # It registers its layers.
        resolve(record.model.architecture, "model.architecture")
    return load_model(path)


def write_record(record: Record, directory: Path) -> None:
    """Write the record, whole: where it is, the training is finished."""
    with whole_file(directory / RECORD) as path:
        path.write_bytes(sealed_json(record.model_dump_json(indent=2)))


def read_record(directory: Path) -> Record:
    """Return the record of a training; one that is not finished, or damaged, is an InputError."""
    path = directory / RECORD
    if not path.exists():
        raise InputError(f"{directory}: no finished training: there is no {RECORD}")
    again = f"remove {directory} and train again"
    content = read_sealed(path, again)
    try:
        return Record.model_validate_json(content)
    except ValidationError:
        raise InputError(f"{path}: the record is damaged: {again}") from None


def finished(directory: Path, asked: str) -> Record | None:
    """Return the record of a training of this question, None where it is not finished."""
    if not (directory / RECORD).exists():
        return None
    record = read_record(directory)
    if record.question != asked:
        raise UsageError(
            f"{directory}: another training is finished there: remove it or name another directory"
        )
    return record
