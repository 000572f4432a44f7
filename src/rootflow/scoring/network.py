"""A Keras model that keeps the Scorer contract."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldsConfig
from rootflow.dataset.events import Events, Features
from rootflow.dataset.seen import EVENTS_AT_ONCE
from rootflow.scoring.contract import Scores
from rootflow.scoring.trained import TrainedModel


class KerasScorer(TrainedModel):
    """A trained network, applied to the events that it has not seen.

    Parameters
    ----------
    name, folds, features, allow_seen_events
        As in `TrainedModel`.
    model
        What `rootflow.models.build_classifier` builds: a dict of raw inputs to `score`.
    """

    def __init__(
        self,
        name: str,
        model: keras.Model,
        folds: FoldsConfig,
        features: Features,
        *,
        allow_seen_events: bool = False,
    ) -> None:
        taken = {collection: features[collection] for collection in model.input}
        super().__init__(name, folds, taken, allow_seen_events=allow_seen_events)
        self._model = model

    def _score(self, events: Events) -> Scores:
        # One shape for every batch: another one would be traced anew, and might be
        # summed in another order.
        full = {name: _filled_up(events.inputs()[name]) for name in self._model.input}
        said = np.asarray(self._model.predict_on_batch(full)["score"])
        return said[: len(events), 0].astype(np.float64)


def _filled_up(array: NDArray[Any]) -> NDArray[Any]:
    """Return as many rows as a batch has, copies where there are too few."""
    shape = (EVENTS_AT_ONCE, *array.shape[1:])
    return np.resize(array, shape) if len(array) else np.ones(shape, array.dtype)
