"""Which model an export is of: that of the configuration, one beside it, or that of a run."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rootflow.config import Config, ReconstructionConfig, change, load
from rootflow.errors import UsageError
from rootflow.steps.exported_files import RUN_ID
from rootflow.steps.methods import variants_of, without_training
from rootflow.steps.train import TAG
from rootflow.tracking import artifact_of
from rootflow.tracking.artifacts import LoggedRun, logged_run

SETTINGS = "config.yaml"
FOLD = "rootflow.fold"


class Chosen(NamedTuple):
    """The configuration of a model, and the digest of the only training of it that will do.

    `training` is None where any training of the configuration will do.
    """

    config: Config
    training: str | None


def chosen(config: Config, model: str) -> Chosen:
    """Return what to export of the configuration of the command.

    `model` is empty: its model; a name: its model of this name, be it one beside the model
    (an architecture or a variant in `evaluation.methods`); the id of a run of train, evaluate,
    export or main: the training of this run, whatever the configuration says of data, model and
    training.
    """
    if model in ("", config.model.name):
        return Chosen(config, None)
    beside = _beside(config)
    if model in beside:
        return Chosen(beside[model], None)
    if RUN_ID.fullmatch(model):
        return _of_run(config, logged_run(model))
    known = ", ".join(names_of(config))
    raise UsageError(
        f"model {model}: no model of the configuration, which has {known}, and no id of a run"
    )


def names_of(config: Config) -> list[str]:
    """Return the names of the configured models, that of the model itself first."""
    return [config.model.name, *_beside(config)]


def _beside(config: Config) -> Mapping[str, Config]:
    """Return the configuration of each model that is trained beside the model, by its name."""
    evaluation = {"evaluation": without_training(config)}
    variants = variants_of(config)
    return {name: each.model_copy(update=evaluation) for name, each in variants.items()}


def _of_run(config: Config, run: LoggedRun) -> Chosen:
    training = run.tags.get(TAG)
    if training is None:
        raise UsageError(
            f"run {run.run_id} has no training: name one of train, evaluate, export or main"
        )
    with tempfile.TemporaryDirectory() as folder:
        own = load(artifact_of(run.run_id, SETTINGS, Path(folder)))
    if own.analysis != config.analysis:
        raise UsageError(
            f"run {run.run_id} is of {own.analysis}, the configuration of {config.analysis}"
        )
    fold = run.tags.get(FOLD)
    if fold is not None and len(own.data.folds.in_turn()) > 1:
        if not isinstance(own, ReconstructionConfig):
            raise UsageError(
                f"run {run.run_id} trained the model of fold {fold} alone: name the run above it, "
                "which has those of all folds"
            )
        own = change(own, {"data.folds.held_out": int(fold)})
    kept = {name: getattr(config, name) for name in ("output", "export", "tracking", "promotion")}
    return Chosen(own.model_copy(update=kept), training)
