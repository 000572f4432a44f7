"""What the steps do with networks that assign jets alone: evaluating them, and comparing two."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rootflow.config import FoldsConfig, ReconstructionConfig
from rootflow.dataset import Dataset, Events
from rootflow.dataset.events import DATA
from rootflow.evaluation.compare import ComparedModels
from rootflow.evaluation.paired import Contest
from rootflow.evaluation.reconstruction import (
    Collisions,
    assess,
    check_names,
    compare,
    read_predictions,
    write_evaluation,
)
from rootflow.evaluation.reconstruction.metrics import BINNED, contest
from rootflow.evaluation.reconstruction.predictions import PREDICTIONS
from rootflow.evaluation.results import check_known
from rootflow.methods.contract import Reconstructor
from rootflow.methods.exported import OnnxMethod
from rootflow.steps.result import Found

# What methods said of events.
ANSWERS = PREDICTIONS
# What is said of a model whose training had other events.
WITHOUT_TRAINING_EVENTS: dict[str, str] = {}


def check_evaluation(config: ReconstructionConfig, names: Sequence[str]) -> None:
    """Refuse observables and a reference that there are not; `names` are those of all methods."""
    check_names(config.evaluation, names)


def check_dataset(config: ReconstructionConfig, dataset: Dataset) -> None:
    """Each dataset has what is evaluated."""


def evaluated(
    config: ReconstructionConfig,
    dataset: Dataset,
    events: Events,
    methods: Sequence[Reconstructor],
    origin: Mapping[str, str],
    folder: Path,
) -> Found:
    """Evaluate methods side by side on events that the network has not seen, into the folder."""
    samples, collisions = dataset.manifest.samples, None
    if events.label is not None and np.any(events.label == DATA):
        is_data = events.label == DATA
        collisions = Collisions(events.take(np.flatnonzero(is_data)), samples)
        events = events.take(np.flatnonzero(~is_data))
    files = [file.checksum for sample in samples for file in sample.files]
    assessment = assess(events, methods, config.evaluation, config.seed, collisions)
    write_evaluation(assessment, config.evaluation.unfold, files, origin, folder)
    evaluation = assessment.evaluation
    return Found({"events": len(events)}, {"methods": evaluation.table()}, evaluation.metrics())


def compared(answers: Mapping[str, Path], replicas: int, seed: int) -> ComparedModels:
    """Compare the methods of evaluations by the files of their answers, by name."""
    predictions = [read_predictions(path, name) for name, path in answers.items()]
    return compare(predictions, replicas, seed)


def check_promotion(config: ReconstructionConfig) -> None:
    """Refuse bins of quantities that there are not."""
    check_known("promotion.no_regression_in", config.promotion.no_regression_in, BINNED)


def fold_fault(config: ReconstructionConfig, model: OnnxMethod) -> str | None:
    """Return why a network may have seen the events of the held-out fold, None where it has not."""
    every = config.data.folds.in_turn()
    if _folds(model) in every:
        return None
    wanted = _in_words(every[0]) if len(every) == 1 else f"{every[0].count} ({every[0].scheme})"
    return (
        f"it has not seen fold {_in_words(_folds(model))}, but may have seen the events of fold "
        f"{wanted}, which data.folds holds out"
    )


def other_events(candidate: OnnxMethod, champion: OnnxMethod) -> str | None:
    """Return why there are no events that neither has seen, None where there are."""
    if _folds(candidate) == _folds(champion):
        return None
    return f"it may be applied to fold {_in_words(_folds(champion))}, the candidate to another"


def compete(
    config: ReconstructionConfig,
    dataset: Dataset,
    candidate: OnnxMethod,
    champion: OnnxMethod | None,
) -> Contest:
    """Compare both on the fold that they have not seen; errors as of `contest`."""
    events = dataset.events(dataset.simulated_in([candidate.held_out[0]]))
    return contest(events, candidate, champion, config.promotion, config.evaluation, config.seed)


def _folds(model: OnnxMethod) -> FoldsConfig:
    return FoldsConfig(**model.folding.model_dump(), held_out=model.held_out[0])


def _in_words(folds: FoldsConfig) -> str:
    return f"{folds.held_out} of {folds.count} ({folds.scheme})"
