"""The door of this room: a dataset becomes a fitted network."""

import importlib.metadata
from pathlib import Path
from typing import NamedTuple

from rootflow.analysis import analysis_named
from rootflow.config import BoostedTreesConfig, Config, FoldsConfig, OwnNetworkConfig, digest_of
from rootflow.dataset import Dataset
from rootflow.files import PARTIAL, alone_in
from rootflow.plugins import source_digest
from rootflow.training.checkpoint import CHECKPOINT
from rootflow.training.devices import installed_build
from rootflow.training.record import Fact, History, OnEpoch, Record, finished, write_record

NETWORK, TREES = "model.keras", "model.skops"
# What of the training's settings decides trees.
DECIDES_TREES = {"validation_fraction", "fast_dev_run"}


class Training(NamedTuple):
    """A finished training.

    The model is the network with the weights of its best epoch, as .keras, or trees as .skops.
    The history has one mapping an epoch, some trees being one: the metrics of the task, `loss`
    among them, each with `training_` and with `validation_` before it, and `learning_rate`. The
    facts are of all calls together where it was interrupted; its best epoch counts from 1.
    """

    model_path: Path
    history: History
    facts: dict[str, Fact]

    @property
    def directory(self) -> Path:
        """The training's own folder, with its record."""
        return self.model_path.parent


def fit(
    dataset: Dataset, config: Config, directory: Path, on_epoch: OnEpoch, folds: FoldsConfig
) -> Training:
    """Train the model of `config.model` on all folds but the held-out one.

    After every epoch of a network all that the next one depends on is on disk. Called again
    after it was interrupted at any moment, the training goes on and comes to the same
    history and the same weights, bit by bit on the same machine (trees, a matter of
    seconds, begin again); called when finished, it returns at once. While another process
    trains in the directory, it waits.

    `on_epoch` is called with the number, from 1, and the metrics of every epoch of the history,
    those of an earlier call included, once each and in order.

    Raises
    ------
    InputError
        There are no events to train or to validate on, of classifiers less than two of a
        class, their weights do not add up to anything positive, or a file in `directory`
        is damaged.
    UsageError
        `directory` holds another training, or the model does not go with the dataset.
    RootflowError
        The loss is no longer a number.
    """
    asked = question(dataset.manifest.simulation_digest, config, folds)
    record = finished(directory, asked)
    if record is None:
        with alone_in(directory):
            record = finished(directory, asked)
            if record is None:
                record = _train(dataset, config, folds, asked, directory, on_epoch)
                return _training(record, directory)
    for epoch, metrics in enumerate(record.history, 1):
        on_epoch(epoch, metrics)
    return _training(record, directory)


def question(simulation_digest: str, config: Config, folds: FoldsConfig) -> str:
    """Name a training: another name where what it sees, the settings or the libraries differ.

    What does not decide the model is not asked: its name, and collisions beside the simulation,
    whose digest is that of the dataset to train on.
    """
    file = _model_file(config)
    return digest_of(
        {
            "simulation": simulation_digest,
            "seed": config.seed,
            "folds": folds.model_dump(mode="json"),
            "negative_weights": config.data.weights.negative,
            "model": config.model.model_dump(mode="json", exclude={"name"}),
            "training": config.training.model_dump(
                mode="json", include=DECIDES_TREES if file == TREES else None
            ),
            "libraries": _libraries(file),
            **_own_code(config),
            **analysis_named(config.analysis).decides(config),
        }
    )


def _libraries(file: str) -> dict[str, str]:
    """Return the versions of what fits a model: both builds of TensorFlow count as one."""
    version = importlib.metadata.version
    if file == TREES:
        return {"scikit-learn": version("scikit-learn")}
    return {"keras": version("keras"), "tensorflow": installed_build().version}


def _own_code(config: Config) -> dict[str, str]:
    """Return the names of the code of a network and of losses of one's own."""
    own = {f"loss {key}": name for key, name in config.training.own_losses().items()}
    if isinstance(config.model, OwnNetworkConfig):
        own["architecture"] = config.model.architecture
    return {what: source_digest(name, what) for what, name in own.items()}


def _model_file(config: Config) -> str:
    return TREES if isinstance(config.model, BoostedTreesConfig) else NETWORK


def _training(record: Record, directory: Path) -> Training:
    return Training(directory / record.model_file, record.history, record.facts)


def _train(
    dataset: Dataset,
    config: Config,
    folds: FoldsConfig,
    asked: str,
    directory: Path,
    on_epoch: OnEpoch,
) -> Record:
    model_file = _model_file(config)
    path = directory / model_file
    # Here, and not above: a training that is finished need not wait for TensorFlow.
    if model_file == TREES:
        from rootflow.training.boosting import train as grow

        history, facts = grow(dataset, config, folds, path, on_epoch)
    else:
        from rootflow.training.loop import train

        history, facts = train(dataset, config, folds, asked, path, on_epoch)
    record = Record(
        question=asked,
        dataset=dataset.manifest.digest,
        task=analysis_named(config.analysis).task,
        folds=folds,
        model=config.model,
        model_file=model_file,
        features=analysis_named(config.analysis).given(config, dataset.features),
        max_jets=dataset.manifest.max_jets,
        inputs=getattr(config, "inputs", None),
        classes=dataset.manifest.classes,
        history=history,
        facts=facts,
    )
    write_record(record, directory)
    for unneeded in (directory / CHECKPOINT, *directory.glob(f".*{PARTIAL}*")):
        unneeded.unlink(missing_ok=True)
    return record
