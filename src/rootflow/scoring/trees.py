"""Boosted trees that keep the Scorer contract."""

import numpy as np

from rootflow.config import FoldsConfig
from rootflow.dataset.events import Events
from rootflow.models import chosen_inputs
from rootflow.scoring.contract import Scores
from rootflow.scoring.trained import TrainedModel
from rootflow.training.trees import TreesModel


class TreesScorer(TrainedModel):
    """Trained trees, applied to the events that they have not seen.

    Parameters
    ----------
    name, folds, allow_seen_events
        As in `TrainedModel`.
    model
        The trees with what they see.
    """

    def __init__(
        self,
        name: str,
        model: TreesModel,
        folds: FoldsConfig,
        *,
        allow_seen_events: bool = False,
    ) -> None:
        taken = {
            collection: model.features[collection] for collection in chosen_inputs(model.inputs)
        }
        super().__init__(name, folds, taken, allow_seen_events=allow_seen_events)
        self._model = model

    def _score(self, events: Events) -> Scores:
        # scikit-learn refuses to predict nothing.
        return self._model.predict(events.inputs()) if len(events) else np.empty(0)
