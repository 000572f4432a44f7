"""Learning to tell signal from background."""

from collections.abc import Mapping

import keras
import numpy as np
from numpy.typing import NDArray

from rootflow.config import ClassificationConfig, FoldsConfig
from rootflow.dataset import Dataset
from rootflow.models import build_classifier, fit_classifier_normalisation
from rootflow.training.batches import Batches, in_order
from rootflow.training.labelled import labelled_samples, labels
from rootflow.training.metrics import cross_entropy, weighted_auc, weighted_mean
from rootflow.training.record import BEST, MONITOR, Fact
from rootflow.training.samples import Sample
from rootflow.training.task import Metrics, mean_of

EVENTS_TO_NORMALISE = 200_000
EVENTS_TO_RANK = 200_000
BATCH = 2048


class ClassificationTask:
    """The task of the networks of the h4l analysis.

    Raises
    ------
    InputError
        See `labelled_samples`.
    UsageError
        See `build_classifier`.
    """

    def __init__(self, dataset: Dataset, config: ClassificationConfig, folds: FoldsConfig) -> None:
        self.samples, self._facts = labelled_samples(dataset, config, folds)
        normalisation = fit_classifier_normalisation(
            self.samples.training.evenly(EVENTS_TO_NORMALISE).chunks(), config.inputs
        )
        self.network: keras.Model = build_classifier(
            config.model, config.inputs, dataset.features, normalisation
        )
        self.fitted = self.network
        self.trims = False
        loss = keras.losses.BinaryCrossentropy()
        self.losses: Mapping[str, keras.Loss] = {"score": loss}
        self.loss_weights: Mapping[str, float] = {"score": 1.0}
        self.weighted_metrics: Mapping[str, list[keras.Metric]] = {"score": [mean_of(loss)]}

    def metrics(self, logs: Mapping[str, float]) -> Metrics:
        """Return the cross-entropy, without the penalty on large weights."""
        return {"loss": logs["mean"]}

    def metrics_of(self, sample: Sample) -> Metrics:
        """Return the area under the ROC curve."""
        part = sample.evenly(EVENTS_TO_RANK)
        return {"auc": weighted_auc(self._scores(part), labels(part), part.weight)}

    def note(self, metrics: Mapping[str, float]) -> str:
        """Return loss and area under the curve in words."""
        return "loss {training_loss:.4f} validation AUC {validation_auc:.4f}".format(**metrics)

    def calibrate(self) -> None:
        """Leave the network as it is."""

    def facts(self) -> dict[str, Fact]:
        """Return what became of the weights, and the error of the best validation loss."""
        validation = self.samples.validation
        losses = cross_entropy(self._scores(validation), labels(validation))
        mean = weighted_mean(losses, validation.weight)
        return self._facts | {f"{BEST}{MONITOR}_error": mean.error}

    def _scores(self, sample: Sample) -> NDArray[np.float32]:
        batches = Batches(sample, in_order(np.arange(len(sample)), BATCH))
        scores = [self.network.predict_on_batch(inputs)["score"][:, 0] for inputs, *_ in batches]
        return np.concatenate(scores)
