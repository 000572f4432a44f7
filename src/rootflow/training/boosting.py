"""Growing boosted trees on the same events, with the same weights, as the networks."""

import time
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from rootflow.analysis import analysis_named
from rootflow.config import BoostedTreesConfig, Config, FoldsConfig
from rootflow.dataset import Dataset
from rootflow.errors import UsageError
from rootflow.progress import progress
from rootflow.training.record import (
    TRAINING,
    VALIDATION,
    History,
    OnEpoch,
    Outcome,
    best_of,
    facts_of,
    named,
)
from rootflow.training.task import Rows, TreesTask

# The history has one entry, an epoch, for so many trees.
TREES_OF_AN_EPOCH = 10
# How many there are by then; the fact `trees` is how many are kept.
GROWN = "trees_grown"
EPOCHS_OF_A_TRIAL = 2
# Threads share sums, and round them in an order of their own; on a busy machine they wait for
# each other longer than one alone would take.
THREADS = 1
Kind = TypeVar("Kind", HistGradientBoostingClassifier, HistGradientBoostingRegressor)


def train(
    dataset: Dataset, config: Config, folds: FoldsConfig, model_path: Path, on_epoch: OnEpoch
) -> Outcome:
    """Grow trees until the validation loss no longer falls, and save those up to its lowest."""
    model = config.model
    if not isinstance(model, BoostedTreesConfig):
        raise TypeError(f"{model.architecture} is a network")
    task: TreesTask = analysis_named(config.analysis).make_task(dataset, config, folds)
    training, validation = (task.rows(sample) for sample in task.samples)
    _refuse_negative(training, validation)
    started = time.monotonic()
    settings = _settings(model, config)
    with threadpool_limits(THREADS), progress("train", None, "trees") as advance:
        watched = settings, model.patience
        grown = _grow(HistGradientBoostingClassifier, *watched, training, validation)
        history = _history(task, grown, training, validation)
        best = best_of(history)
        advance(grown.n_iter_, note=task.note(history[best]))
        kept = _first(int(history[best][GROWN]), grown)
        regress = partial(_grow, HistGradientBoostingRegressor, *watched)
        saved = task.save_trees(kept, regress, model_path)
    seconds = time.monotonic() - started
    for epoch, metrics in enumerate(history, 1):
        on_epoch(epoch, metrics)
    facts = {
        "trees": kept.n_iter_,
        "training_events": len(task.samples.training),
        "validation_events": len(task.samples.validation),
        **task.facts_of_rows(validation, kept.predict_proba(validation.values)),
        **saved,
        **facts_of(history),
        "seconds": seconds,
    }
    return history, facts


def _grow(
    kind: type[Kind], settings: dict[str, Any], patience: int, training: Rows, validation: Rows
) -> Kind:
    trees = kind(**settings, early_stopping=True, n_iter_no_change=patience, tol=0.0)
    return trees.fit(
        *(training.values, training.label, training.weight),
        X_val=validation.values,
        y_val=validation.label,
        sample_weight_val=validation.weight,
    )


def _first(count: int, trees: Kind) -> Kind:
    """Return trees without all that grew after so many: those, grown alone, would be the same."""
    # They are not grown alone, for scikit-learn 1.9 spends most of a weighted fit on its bins.
    del trees._predictors[count:]
    return trees


def _settings(model: BoostedTreesConfig, config: Config) -> dict[str, Any]:
    trial = EPOCHS_OF_A_TRIAL * TREES_OF_AN_EPOCH
    return {
        "max_iter": min(model.trees, trial) if config.training.fast_dev_run else model.trees,
        "learning_rate": model.learning_rate,
        "max_leaf_nodes": model.max_leaf_nodes,
        "min_samples_leaf": model.min_samples_leaf,
        "l2_regularization": model.l2,
        "random_state": config.seed,
    }


def _refuse_negative(*samples: Rows) -> None:
    count = sum(int((sample.weight < 0).sum()) for sample in samples)
    if count:
        raise UsageError(
            f"model.architecture boosted_trees: the weights of {count} events are negative, "
            f"which trees cannot learn from: set data.weights.negative to absolute or drop"
        )


def _history(
    task: TreesTask, trees: HistGradientBoostingClassifier, training: Rows, validation: Rows
) -> History:
    """Return the metrics of both samples, each time that some trees had grown."""
    last = trees.n_iter_
    stages = zip(
        range(1, last + 1),
        trees.staged_predict_proba(training.values),
        trees.staged_predict_proba(validation.values),
        strict=True,
    )
    return [
        named(TRAINING, task.metrics_of_rows(training, trained))
        | named(VALIDATION, task.metrics_of_rows(validation, watched))
        | {"learning_rate": trees.learning_rate, GROWN: float(count)}
        for count, trained, watched in stages
        if count % TREES_OF_AN_EPOCH == 0 or count == last
    ]
