"""Epoch by epoch, from the first weights or the last checkpoint to the best ones."""

from pathlib import Path

from rootflow.config import Config, FoldsConfig
from rootflow.dataset import Dataset
from rootflow.errors import UsageError
from rootflow.models.saving import save_model
from rootflow.progress import progress
from rootflow.training.checkpoint import (
    Checkpoint,
    read_checkpoint,
    restore,
    state,
    write_checkpoint,
)
from rootflow.training.devices import device_name
from rootflow.training.record import Fact, History, OnEpoch, Outcome, best_of, facts_of
from rootflow.training.trainer import Trainer


def train(
    dataset: Dataset,
    config: Config,
    folds: FoldsConfig,
    question: str,
    model_path: Path,
    on_epoch: OnEpoch,
) -> Outcome:
    """Train until the plan or the patience ends, and save the network of the best epoch."""
    trainer = Trainer(dataset, config, folds)
    note = trainer.task.note
    checkpoint = _begin(trainer, question, model_path.parent)
    with progress("train", trainer.schedule.epochs, "epochs") as advance:
        for epoch, metrics in enumerate(checkpoint.history, 1):
            on_epoch(epoch, metrics)
            advance(note=note(metrics))
        while _goes_on(checkpoint.history, trainer.schedule.epochs, config.training.patience):
            epoch = len(checkpoint.history)
            metrics = trainer.epoch(epoch)
            checkpoint = _follow(checkpoint, trainer, metrics)
            write_checkpoint(checkpoint, model_path.parent)
            on_epoch(epoch + 1, metrics)
            advance(note=note(metrics))
    trainer.task.network.set_weights(checkpoint.best)
    trainer.task.calibrate()
    save_model(trainer.task.network, model_path)
    return checkpoint.history, _facts(trainer, checkpoint)


def _begin(trainer: Trainer, question: str, directory: Path) -> Checkpoint:
    checkpoint = read_checkpoint(directory)
    if checkpoint is None:
        weights = trainer.task.network.get_weights()
        return Checkpoint(question, [], state(trainer.model), weights, 0, 0.0, 0.0)
    if checkpoint.question != question:
        raise UsageError(
            f"{directory}: its checkpoint is of another training: remove it or name another "
            f"directory"
        )
    restore(trainer.model, checkpoint.variables)
    trainer.events, trainer.seconds = checkpoint.events, checkpoint.seconds
    trainer.validation_seconds = checkpoint.validation_seconds
    return checkpoint


def _follow(before: Checkpoint, trainer: Trainer, metrics: dict[str, float]) -> Checkpoint:
    history, best = [*before.history, metrics], before.best
    if best_of(history) == len(before.history):
        with trainer.averaged():
            best = trainer.task.network.get_weights()
    counts = trainer.events, trainer.seconds, trainer.validation_seconds
    return Checkpoint(before.question, history, state(trainer.model), best, *counts)


def _goes_on(history: History, epochs: int, patience: int) -> bool:
    since_best = len(history) - 1 - best_of(history) if history else 0
    return len(history) < epochs and since_best < patience


def _facts(trainer: Trainer, checkpoint: Checkpoint) -> dict[str, Fact]:
    samples = trainer.task.samples
    return {
        "device": device_name(),
        "parameters": trainer.task.network.count_params(),
        "training_events": len(samples.training),
        "validation_events": len(samples.validation),
        **trainer.task.facts(),
        **facts_of(checkpoint.history),
        "seconds": checkpoint.seconds,
        "validation_seconds": checkpoint.validation_seconds,
        "events_per_second": checkpoint.events / checkpoint.seconds,
    }
