"""What all trained models share: which events they may score, and in batches."""

from abc import ABC, abstractmethod

import numpy as np

from rootflow.config import FoldsConfig
from rootflow.dataset.events import Events, Features
from rootflow.dataset.seen import batches, refuse_other_features, refuse_seen
from rootflow.scoring.contract import Scores


class TrainedModel(ABC):
    """A model that scores the events of the fold that it has not seen.

    Parameters
    ----------
    name
        The model's configured name.
    folds
        The folds that it was trained with; `held_out` is the one that it has not seen.
    features
        Names along the last axis of each input that it takes, in their order.
    allow_seen_events
        `score` gives also events of the training's folds an answer.
    """

    def __init__(
        self, name: str, folds: FoldsConfig, features: Features, *, allow_seen_events: bool = False
    ) -> None:
        self.name = name
        self.folds = folds
        self._features = {collection: names for collection, names in features.items() if names}
        self._allow_seen_events = allow_seen_events

    def score(self, events: Events) -> Scores:
        """Return (n,) the probability of signal of each event.

        Raises
        ------
        InputError
            The model was trained on the fold of some of the events, or the events do not
            have the features that it takes.
        """
        if not self._allow_seen_events:
            refuse_seen(self.name, events, self.folds)
        return self.score_seen(events)

    def score_seen(self, events: Events) -> Scores:
        """Return the same of any events, those that the model was trained on among them.

        Raises
        ------
        InputError
            The events do not have the features that it takes.
        """
        found = {name: events.features.get(name, ()) for name in self._features}
        refuse_other_features(self.name, found, self._features)
        return np.concatenate([self._score(batch) for batch in batches(events)])

    @abstractmethod
    def _score(self, events: Events) -> Scores:
        """Return (n,) of at most `EVENTS_AT_ONCE` events."""
