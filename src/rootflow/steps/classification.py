"""What the steps do with classifiers alone: evaluating them, and comparing two."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rootflow.config import ClassificationConfig
from rootflow.dataset import Dataset, Events
from rootflow.dataset.samples import check_classes
from rootflow.evaluation.classification import (
    HeldOut,
    cautions_of,
    compare,
    evaluate,
    observable_of,
    read_scores,
    tables_of,
    write_evaluation,
    write_scores,
)
from rootflow.evaluation.classification.scores import contest
from rootflow.evaluation.compare import ComparedModels
from rootflow.evaluation.paired import Contest
from rootflow.evaluation.results import check_known
from rootflow.methods.exported import OnnxMethod
from rootflow.methods.model import Model
from rootflow.steps.frozen import fold_fault as fold_fault
from rootflow.steps.result import Found

# What models said of events.
ANSWERS = "scores.parquet"
# What is said of a model whose training had other events.
WITHOUT_TRAINING_EVENTS = {"over_training": "left out: it needs the training's events"}
# Of the tables, those that a terminal shows.
SHOWN = ("auc", "over_training", "best_cut", "fit", "yields")


def check_evaluation(config: ClassificationConfig, names: Sequence[str]) -> None:
    """Nothing can be said before the dataset is there."""


def check_dataset(config: ClassificationConfig, dataset: Dataset) -> None:
    """Refuse one class alone, signals that are none, and an observable that events do not have."""
    check_classes(dataset.path, dataset.manifest.classes)
    check_known("evaluation.signal", config.evaluation.signal, dataset.manifest.classes)
    observable = observable_of(config.evaluation, dataset.manifest.features)
    if observable is not None:
        observable.values(dataset.events(np.arange(1)))


def evaluated(
    config: ClassificationConfig,
    dataset: Dataset,
    events: Events,
    models: Sequence[Model],
    origin: Mapping[str, str],
    folder: Path,
) -> Found:
    """Evaluate models into the folder, each event scored by one that has not seen it."""
    manifest, every = dataset.manifest, config.data.folds.in_turn()
    held_out = HeldOut(every[0].held_out, every[0].count) if len(every) == 1 else None
    observable = observable_of(config.evaluation, manifest.features)
    evaluation = evaluate(
        events,
        manifest.samples,
        models,
        config.inputs,
        config.evaluation,
        config.seed,
        observable,
        manifest.classes,
        held_out,
    )
    write_evaluation(evaluation, origin, folder)
    signals = [evaluation.classes.index(name) for name in evaluation.signals]
    scored, scores = evaluation.scored, folder / ANSWERS
    write_scores(events, manifest.samples, scored, scores, observable, signals)
    shown = {table.name: table.as_rows() for table in tables_of(evaluation) if table.name in SHOWN}
    facts = {"events": len(events), "caution": cautions_of(evaluation)}
    return Found(facts, shown, evaluation.metrics())


def compared(answers: Mapping[str, Path], replicas: int, seed: int) -> ComparedModels:
    """Compare the models of evaluations by the files of their answers, by name."""
    return compare([read_scores(path, name) for name, path in answers.items()], replicas, seed)


def check_promotion(config: ClassificationConfig) -> None:
    """Nothing can be said before the dataset is there: bins are of its features."""


def other_events(candidate: OnnxMethod, champion: OnnxMethod) -> str | None:
    """Return why there are no events that neither has seen, None where there are."""
    if (candidate.folding, candidate.held_out) == (champion.folding, champion.held_out):
        return None
    return "its folds are others than the candidate's"


def compete(
    config: ClassificationConfig,
    dataset: Dataset,
    candidate: OnnxMethod,
    champion: OnnxMethod | None,
) -> Contest:
    """Compare both, each event scored by the models that have not seen it; errors of `contest`."""
    held_out = [folds.held_out for folds in config.data.folds.in_turn()]
    events, samples = dataset.events(dataset.simulated_in(held_out)), dataset.manifest.samples
    replicas = config.evaluation.replicas
    return contest(events, samples, candidate, champion, config.promotion, replicas, config.seed)
