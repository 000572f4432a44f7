"""What a model is to learn: all in which one kind of analysis differs from another."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from rootflow.training.record import Fact
from rootflow.training.samples import Samples, WeightedSample

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

Metrics = dict[str, float]


class Rows(NamedTuple):
    """A sample in memory as trees take it."""

    values: NDArray[np.float32]  # (rows, columns)
    label: NDArray[Any]  # (rows,) the number of the class, or what trees are to give
    weight: NDArray[np.float64]  # (rows,)
    event: NDArray[np.int64]  # (rows,) the number of the event that a row is of, rising from 0


# Grow trees that give numbers, on rows to learn from until those that watch no longer gain.
Regress = Callable[[Rows, Rows], "HistGradientBoostingRegressor"]


class TreesTask(Protocol):
    """Events in rows, which trees learn to tell apart."""

    samples: Samples

    def rows(self, sample: WeightedSample) -> Rows:
        """Return the rows of the events of a sample."""

    def metrics_of_rows(self, rows: Rows, probabilities: NDArray[np.float64]) -> Metrics:
        """Return the metrics that are told, `loss` and `auc` among them, (rows, classes)."""

    def facts_of_rows(
        self, validation: Rows, probabilities: NDArray[np.float64]
    ) -> dict[str, Fact]:
        """Return what is to be said of the samples, and of the trees at their best."""

    def note(self, metrics: Mapping[str, float]) -> str:
        """Return what is said of an epoch in the progress."""

    def save_trees(
        self, trees: "HistGradientBoostingClassifier", regress: Regress, path: Path
    ) -> dict[str, Fact]:
        """Write trees with all that is needed beside them, and return what is to be said of that.

        What else an answer needs is grown by `regress`.
        """


class Task(ABC):
    """A network with its events, its losses and the names of its metrics.

    All but `samples` is there once it is built. Losses, their weights and metrics are by the name
    of the output of `fitted`, as Keras compiles them.
    """

    samples: Samples
    network: keras.Model  # to keep, with a dict of outputs
    fitted: keras.Model  # the same layers with the inputs and the outputs that the losses need
    trims = False  # whether `fitted` takes events without jet slots that none of a batch fills
    losses: Mapping[str, keras.Loss]
    loss_weights: Mapping[str, float]
    weighted_metrics: Mapping[str, list[keras.Metric]]

    @abstractmethod
    def build(self) -> None:
        """Make the network, its losses and metrics, once the seed is set."""

    @abstractmethod
    def metrics(self, logs: Mapping[str, float]) -> Metrics:
        """Return the metrics that are told, `loss` among them, from those that Keras names."""

    def metrics_of(self, sample: WeightedSample) -> Metrics:  # noqa: ARG002 - others need it
        """Return metrics at the end of an epoch that need all events of a sample at once."""
        return {}

    @abstractmethod
    def note(self, metrics: Mapping[str, float]) -> str:
        """Return what is said of an epoch in the progress."""

    def calibrate(self) -> None:  # noqa: B027 - most have nothing to set
        """Set what is fitted to the validation events alone, once the network is at its best."""

    @abstractmethod
    def facts(self) -> dict[str, Fact]:
        """Return what is to be said of the samples, and of the network at its best."""


def mean_of(loss: keras.Loss) -> keras.Metric:
    """Return the weighted mean over events; Keras' own is one over batches of any size."""
    return keras.metrics.MeanMetricWrapper(loss.call, name="mean")
