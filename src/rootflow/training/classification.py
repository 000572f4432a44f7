"""Learning to tell classes of events apart, by a network or by trees."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
from numpy.typing import NDArray

from rootflow.config import ClassificationConfig, FoldsConfig, InputsConfig
from rootflow.config.data import LabelledWeightsConfig
from rootflow.config.training import CLASSIFIER_LOSSES
from rootflow.dataset import Dataset, Events
from rootflow.dataset.samples import check_classes
from rootflow.dataset.weights import TrainingWeights, class_weights
from rootflow.errors import InputError, UsageError
from rootflow.models.classifier_inputs import (
    CollectionInputs,
    classifier_inputs,
    fit_classifier_normalisation,
    in_a_row,
)
from rootflow.models.classifiers import PROBABILITIES, SCORE, build_classifier
from rootflow.models.own import own_classifier_loss
from rootflow.training.metrics import areas, cross_entropy, weighted_mean
from rootflow.training.record import BEST, MONITOR, Fact
from rootflow.training.samples import Arrays, Samples, WeightedSample, batches, in_order, split
from rootflow.training.task import Metrics, Regress, Rows, Task, mean_of

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

EVENTS_TO_NORMALISE = 200_000
EVENTS_TO_RANK = 200_000
BATCH = 2048


class ClassificationTask(Task):
    """The task of analyses that classify events, also a `TreesTask`.

    Learnt from are the labelled events of all folds but the held-out one. `classes` are named by
    label, `inputs` are what a model is given of each collection. Too few events of a class, or
    weights that do not add up to anything positive, are an InputError.
    """

    def __init__(self, dataset: Dataset, config: ClassificationConfig, folds: FoldsConfig) -> None:
        self.classes: tuple[str, ...] = dataset.manifest.classes
        self.inputs = _inputs(dataset, config.inputs)
        self._config = config
        self._output = SCORE if len(self.classes) == 2 else PROBABILITIES
        self._arrays = {*self.inputs, *(one.mask for one in self.inputs.values() if one.mask)}
        events = dataset.events()
        if events.label is None or not np.any(events.label >= 0):
            raise InputError(
                f"{dataset.path}: no event has a label, all are data: training needs samples of "
                f"signal and of background"
            )
        check_classes(dataset.path, self.classes)
        parts = split(events, folds, config.training.validation_fraction)
        places = [part[events.label[part] >= 0] for part in parts]
        training, validation = map(events.take, places)
        of_training, of_validation = (
            self._weights(part, config.data.weights, f"to {purpose} for fold {folds.held_out}")
            for part, purpose in ((training, "train"), (validation, "validate"))
        )
        weights = of_training.weight, of_validation.weight
        self.samples = Samples.at(dataset, places, weights, self._read)
        self._facts = self._facts_of(training, of_training)

    def build(self) -> None:
        """Make the network, its loss and its metrics."""
        normalisation = fit_classifier_normalisation(
            self.samples.training.evenly(EVENTS_TO_NORMALISE).chunks(), self.inputs
        )
        self.network = build_classifier(
            self._config.model, self.inputs, normalisation, len(self.classes)
        )
        self.fitted = self.network
        loss = self._loss()
        self.losses = {self._output: loss}
        self.loss_weights = {self._output: 1.0}
        self.weighted_metrics = {self._output: [mean_of(loss)]}

    def metrics(self, logs: Mapping[str, float]) -> Metrics:
        """Return the loss, without the penalty on large weights."""
        return {"loss": logs["mean"]}

    def metrics_of(self, sample: WeightedSample) -> Metrics:
        """Return areas under the ROC curve."""
        part = sample.evenly(EVENTS_TO_RANK)
        return areas(self._said(part), labels(part), part.weight, self.classes)

    def note(self, metrics: Mapping[str, float]) -> str:
        """Return loss and area under the curve in words."""
        return "loss {training_loss:.4f} validation AUC {validation_auc:.4f}".format(**metrics)

    def facts(self) -> dict[str, Fact]:
        """Return what became of the weights, and the error of the best validation loss."""
        validation = self.samples.validation
        said, label = self._said(validation), labels(validation)
        if self._config.training.loss == "cross_entropy":
            losses = cross_entropy(said, label)
        else:
            target = self._target(label)
            losses = np.asarray(self.losses[self._output].call(target, said.reshape(target.shape)))
        return self._with_error(losses, validation.weight)

    def rows(self, sample: WeightedSample) -> Rows:
        """Return the events as trees take them."""
        parts = [in_a_row(events.inputs(), self.inputs) for events, _ in sample.chunks()]
        weight = sample.weight.astype(np.float64)
        return Rows(np.concatenate(parts), labels(sample), weight, np.arange(len(sample)))

    def metrics_of_rows(self, rows: Rows, probabilities: NDArray[np.float64]) -> Metrics:
        """Return cross-entropy and areas under the ROC curve of what trees say, (n, classes)."""
        said = _of_classes(probabilities)
        losses = cross_entropy(said, rows.label)
        return {
            "loss": weighted_mean(losses, rows.weight).value,
            **areas(said, rows.label, rows.weight, self.classes),
        }

    def facts_of_rows(
        self, validation: Rows, probabilities: NDArray[np.float64]
    ) -> dict[str, Fact]:
        """Return what `facts` does, of what the best trees say."""
        losses = cross_entropy(_of_classes(probabilities), validation.label)
        return self._with_error(losses, validation.weight)

    def save_trees(
        self,
        trees: "HistGradientBoostingClassifier",
        regress: Regress,  # noqa: ARG002 - as others ask it
        path: Path,
    ) -> dict[str, Fact]:
        """Write trees with what they are given; there is nothing to say."""
        # Here, and not above: networks need not wait for scikit-learn.
        from rootflow.training.trees import TreesModel, save_trees

        save_trees(TreesModel(self.inputs, trees), path)
        return {}

    def _read(self, events: Events) -> tuple[Arrays, Arrays]:
        inputs = {name: array for name, array in events.inputs().items() if name in self._arrays}
        return inputs, {self._output: self._target(_label(events))}

    def _loss(self) -> keras.Loss:
        name = self._config.training.loss
        if name not in CLASSIFIER_LOSSES:
            return own_classifier_loss(name, "training.loss", len(self.classes))
        losses = keras.losses
        if self._output == SCORE:
            known = (losses.BinaryCrossentropy(), losses.BinaryFocalCrossentropy(gamma=2.0))
        else:
            focal = losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=2.0)
            known = (losses.CategoricalCrossentropy(), focal)
        return dict(zip(CLASSIFIER_LOSSES, known, strict=True))[name]

    def _target(self, label: NDArray[np.int8]) -> NDArray[np.float32]:
        if self._output == SCORE:
            return label[:, None].astype(np.float32)
        return np.eye(len(self.classes), dtype=np.float32)[label]

    def _said(self, sample: WeightedSample) -> NDArray[np.float32]:
        """Return the probability of signal, (n,), or of more than two classes (n, classes)."""
        parts = batches(sample, in_order(np.arange(len(sample)), BATCH))
        said = [self.network.predict_on_batch(inputs)[self._output] for inputs, *_ in parts]
        together = np.concatenate(said)
        return together[:, 0] if self._output == SCORE else together

    def _with_error(
        self, losses: NDArray[np.floating], weight: NDArray[np.floating]
    ) -> dict[str, Fact]:
        mean = weighted_mean(losses, weight)
        return self._facts | {f"{BEST}{MONITOR}_error": mean.error}

    def _weights(
        self, events: Events, policy: LabelledWeightsConfig, purpose: str
    ) -> TrainingWeights:
        try:
            return class_weights(
                events.weight, _label(events), policy.negative, policy.class_balance, self.classes
            )
        except InputError as error:
            raise InputError(f"{len(events)} events {purpose}: {error}") from None

    def _facts_of(self, events: Events, weights: TrainingWeights) -> dict[str, Fact]:
        facts: dict[str, Fact] = {**weights.facts}
        for value, name in enumerate(self.classes):
            of_class = _label(events) == value
            facts |= {
                f"{name}_events": int(np.sum(of_class)),
                f"{name}_sum_of_weights": float(events.weight[of_class].sum()),
                f"{name}_training_weight": float(weights.weight[of_class].sum()),
            }
        return facts


def labels(sample: WeightedSample) -> NDArray[np.int8]:
    """Return the labels of a labelled sample, the number of the class of each event."""
    return _label(sample.dataset.events())[sample.places]


def _label(events: Events) -> NDArray[np.int8]:
    if events.label is None:
        raise ValueError("these events have no labels")
    return events.label


def _of_classes(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of signal where there are two classes."""
    return probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities


def _inputs(dataset: Dataset, inputs: InputsConfig) -> dict[str, CollectionInputs]:
    """Return what a model is given; the dataset may be one of before an input was there."""
    units = {
        collection: {feature.name: feature.unit for feature in features}
        for collection, features in dataset.manifest.features.items()
    }
    try:
        return classifier_inputs(inputs, dataset.events(slice(0, 0)), units)
    except UsageError as error:
        if not dataset.is_of_other_code:
            raise
        raise UsageError(
            f"{error}; {dataset.path} is older than the code: run preprocess again"
        ) from None
