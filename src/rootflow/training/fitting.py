"""The door of this room: a dataset becomes a fitted network."""

import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from rootflow.config import TtbarConfig, digest_of
from rootflow.dataset import Dataset
from rootflow.errors import UsageError
from rootflow.files import PARTIAL, alone_in
from rootflow.training.checkpoint import CHECKPOINT
from rootflow.training.record import Fact, Record, read_record, write_record

MODEL = "model.keras"
LIBRARIES = ("keras", "tensorflow-cpu")
OnEpoch = Callable[[int, Mapping[str, float]], None]


class Training(NamedTuple):
    """A finished training.

    Attributes
    ----------
    model_path
        The network with the weights of its best epoch, as .keras.
    history
        One mapping an epoch: `loss`, `assignment_loss`, `neutrino_loss`,
        `assignment_accuracy`, each also with `validation_` before it, `learning_rate`.
    facts
        Parameters, numbers of events, effective sample size before and after the policy
        for negative weights, best epoch (counted from 0, as in `on_epoch`), seconds in
        training steps and events per second, those of interrupted calls included.
    """

    model_path: Path
    history: list[dict[str, float]]
    facts: dict[str, Fact]

    @property
    def directory(self) -> Path:
        """The training's own folder, with its record."""
        return self.model_path.parent


def fit(dataset: Dataset, config: TtbarConfig, directory: Path, on_epoch: OnEpoch) -> Training:
    """Train the network of `config.model` on all folds but the held-out one.

    After every epoch all that the next one depends on is on disk. Called again after it
    was interrupted at any moment, the training goes on and comes to the same history and
    the same weights, bit by bit on the same machine; called when finished, it returns at
    once. While another process trains in the directory, it waits.

    Parameters
    ----------
    directory
        The training's own folder.
    on_epoch
        Called with the number and the metrics of every epoch of the history, those of an
        earlier call included, once each and in order.

    Raises
    ------
    InputError
        There are no events to train or to validate on, their weights do not add up to
        anything positive, or a file in `directory` is damaged.
    UsageError
        `directory` holds another training.
    RootflowError
        The loss is no longer a number.
    """
    asked = question(dataset.digest, config)
    record = _finished(directory, asked)
    if record is None:
        with alone_in(directory):
            record = _finished(directory, asked)
            if record is None:
                record = _train(dataset, config, asked, directory, on_epoch)
                return _training(record, directory)
    for epoch, metrics in enumerate(record.history):
        on_epoch(epoch, metrics)
    return _training(record, directory)


def question(dataset_digest: str, config: TtbarConfig) -> str:
    """Name a training: another name where the data, the settings or the libraries differ.

    Parameters
    ----------
    dataset_digest
        That of the dataset to train on.
    config
        Of which the settings that decide the network count.
    """
    return digest_of(
        {
            "dataset": dataset_digest,
            "seed": config.seed,
            "folds": config.data.folds.model_dump(mode="json"),
            "negative_weights": config.data.weights.negative,
            "model": config.model.model_dump(mode="json"),
            "training": config.training.model_dump(mode="json"),
            "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
        }
    )


def _finished(directory: Path, asked: str) -> Record | None:
    record = read_record(directory)
    if record is not None and record.question != asked:
        raise UsageError(
            f"{directory}: another training is finished there: remove it or name another directory"
        )
    return record


def _training(record: Record, directory: Path) -> Training:
    return Training(directory / record.model_file, record.history, record.facts)


def _train(
    dataset: Dataset, config: TtbarConfig, asked: str, directory: Path, on_epoch: OnEpoch
) -> Record:
    # Here, and not above: a training that is finished need not wait for TensorFlow.
    from rootflow.training.loop import train

    history, facts = train(dataset, config, asked, directory / MODEL, on_epoch)
    record = Record(
        question=asked,
        dataset=dataset.digest,
        folds=config.data.folds,
        model=config.model,
        model_file=MODEL,
        features=dataset.features,
        max_jets=dataset.manifest.max_jets,
        history=history,
        facts=facts,
    )
    write_record(record, directory)
    for unneeded in (directory / CHECKPOINT, *directory.glob(f".*{PARTIAL}*")):
        unneeded.unlink(missing_ok=True)
    return record
