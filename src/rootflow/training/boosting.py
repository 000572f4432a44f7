"""Growing boosted trees on the same events, with the same weights, as the networks."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from rootflow.config import BoostedTreesConfig, ClassificationConfig, FoldsConfig
from rootflow.dataset import Dataset
from rootflow.errors import UsageError
from rootflow.models import in_a_row
from rootflow.progress import progress
from rootflow.training.labelled import Labelled, labelled_samples, labels
from rootflow.training.metrics import cross_entropy, weighted_auc, weighted_mean
from rootflow.training.record import (
    BEST,
    MONITOR,
    TRAINING,
    VALIDATION,
    Fact,
    History,
    OnEpoch,
    Trained,
    best_of,
    facts_of,
    named,
)
from rootflow.training.samples import Sample
from rootflow.training.trees import TreesModel, save_trees

# The history has one entry, an epoch, for so many trees.
TREES_OF_AN_EPOCH = 10
# How many there are by then; the fact `trees` is how many are kept.
GROWN = "trees_grown"
EPOCHS_OF_A_TRIAL = 2
# Threads share sums, and round them in an order of their own; on a busy machine they wait for
# each other longer than one alone would take.
THREADS = 1


class _Rows:
    """A sample in memory, in a row for trees."""

    def __init__(self, sample: Sample, config: ClassificationConfig) -> None:
        features = sample.dataset.features
        parts = [
            in_a_row(events.inputs(), config.inputs, features) for events, _ in sample.chunks()
        ]
        self.values: NDArray[np.float32] = np.concatenate(parts)
        self.label = labels(sample)
        self.weight = sample.weight.astype(np.float64)


def train(
    dataset: Dataset,
    config: ClassificationConfig,
    folds: FoldsConfig,
    model_path: Path,
    on_epoch: OnEpoch,
) -> Trained:
    """Grow trees until the validation loss no longer falls, and save those up to its lowest.

    Raises
    ------
    InputError
        See `labelled_samples`.
    UsageError
        The dataset does not have an input, or a weight is negative.
    """
    model = config.model
    if not isinstance(model, BoostedTreesConfig):
        raise TypeError(f"{model.architecture} is a network")
    labelled = labelled_samples(dataset, config, folds)
    training, validation = (_Rows(sample, config) for sample in labelled.samples)
    _refuse_negative(training, validation)
    started = time.monotonic()
    settings = _settings(model, config)
    with threadpool_limits(THREADS), progress("train", None, "trees") as advance:
        grown = _grow(settings, model.patience, training, validation)
        history = _history(grown, training, validation)
        best = best_of(history)
        kept = HistGradientBoostingClassifier(
            **settings | {"max_iter": int(history[best][GROWN])}, early_stopping=False
        ).fit(training.values, training.label, training.weight)
        advance(grown.n_iter_, note="validation AUC {validation_auc:.4f}".format(**history[best]))
    seconds = time.monotonic() - started
    for epoch, metrics in enumerate(history, 1):
        on_epoch(epoch, metrics)
    save_trees(TreesModel(config.inputs, dataset.features, kept), model_path)
    return Trained(history, _facts(labelled, validation, kept, history, seconds))


def _grow(
    settings: dict[str, Any], patience: int, training: _Rows, validation: _Rows
) -> HistGradientBoostingClassifier:
    trees = HistGradientBoostingClassifier(
        **settings, early_stopping=True, n_iter_no_change=patience, tol=0.0
    )
    return trees.fit(
        *(training.values, training.label, training.weight),
        X_val=validation.values,
        y_val=validation.label,
        sample_weight_val=validation.weight,
    )


def _settings(model: BoostedTreesConfig, config: ClassificationConfig) -> dict[str, Any]:
    trial = EPOCHS_OF_A_TRIAL * TREES_OF_AN_EPOCH
    return {
        "max_iter": min(model.trees, trial) if config.training.fast_dev_run else model.trees,
        "learning_rate": model.learning_rate,
        "max_leaf_nodes": model.max_leaf_nodes,
        "min_samples_leaf": model.min_samples_leaf,
        "l2_regularization": model.l2,
        "random_state": config.seed,
    }


def _refuse_negative(*samples: _Rows) -> None:
    count = sum(int(np.sum(sample.weight < 0)) for sample in samples)
    if count:
        raise UsageError(
            f"model.architecture boosted_trees: the weights of {count} events are negative, "
            f"which trees cannot learn from: set data.weights.negative to absolute or drop"
        )


def _history(trees: HistGradientBoostingClassifier, training: _Rows, validation: _Rows) -> History:
    """Return the metrics of both samples, each time that some trees had grown."""
    last = trees.n_iter_
    stages = zip(
        range(1, last + 1),
        trees.staged_predict_proba(training.values),
        trees.staged_predict_proba(validation.values),
        strict=True,
    )
    history = []
    for count, trained, watched in stages:
        if count % TREES_OF_AN_EPOCH == 0 or count == last:
            history.append(
                named(TRAINING, _metrics(training, trained[:, 1]))
                | named(VALIDATION, _metrics(validation, watched[:, 1]))
                | {"learning_rate": trees.learning_rate, GROWN: float(count)}
            )
    return history


def _metrics(rows: _Rows, score: NDArray[np.float64]) -> dict[str, float]:
    losses = cross_entropy(score, rows.label)
    return {
        "loss": weighted_mean(losses, rows.weight).value,
        "auc": weighted_auc(score, rows.label, rows.weight),
    }


def _facts(
    labelled: Labelled,
    validation: _Rows,
    trees: HistGradientBoostingClassifier,
    history: History,
    seconds: float,
) -> dict[str, Fact]:
    losses = cross_entropy(trees.predict_proba(validation.values)[:, 1], validation.label)
    mean = weighted_mean(losses, validation.weight)
    training_events = len(labelled.samples.training)
    return {
        "trees": trees.n_iter_,
        "training_events": training_events,
        "validation_events": len(labelled.samples.validation),
        **labelled.facts,
        f"{BEST}{MONITOR}_error": mean.error,
        **facts_of(history),
        "seconds": seconds,
    }
