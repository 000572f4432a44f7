"""What a network is to learn: all in which one analysis differs from the other."""

from collections.abc import Mapping
from typing import Protocol

import keras

from rootflow.training.record import Fact
from rootflow.training.samples import Sample, Samples

Metrics = dict[str, float]


class Task(Protocol):
    """A network with its events, its losses and the names of its metrics.

    Attributes
    ----------
    samples
        The events that train, and those that watch.
    network
        To keep, with a dict of outputs.
    fitted
        The same layers with the inputs and the outputs that the losses need.
    trims
        Whether `fitted` takes events without the jet slots that none of a batch fills.
    losses, loss_weights, weighted_metrics
        By the name of the output of `fitted`, as Keras compiles them.
    """

    samples: Samples
    network: keras.Model
    fitted: keras.Model
    trims: bool
    losses: Mapping[str, keras.Loss]
    loss_weights: Mapping[str, float]
    weighted_metrics: Mapping[str, list[keras.Metric]]

    def metrics(self, logs: Mapping[str, float]) -> Metrics:
        """Return the metrics that are told, `loss` among them, from those that Keras names."""
        ...

    def metrics_of(self, sample: Sample) -> Metrics:
        """Return metrics at the end of an epoch that need all events of a sample at once."""
        ...

    def note(self, metrics: Mapping[str, float]) -> str:
        """Return what is said of an epoch in the progress."""
        ...

    def calibrate(self) -> None:
        """Set what is fitted to the validation events alone, once the network is at its best."""
        ...

    def facts(self) -> dict[str, Fact]:
        """Return what is to be said of the samples, and of the network at its best."""
        ...


def mean_of(loss: keras.Loss) -> keras.Metric:
    """Return the weighted mean over events; Keras' own is one over batches of any size."""
    return keras.metrics.MeanMetricWrapper(loss.call, name="mean")
