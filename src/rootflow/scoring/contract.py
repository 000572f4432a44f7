"""What everything promises that tells signal from background."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldsConfig
from rootflow.dataset.events import Events

Scores = NDArray[np.float64]


class Scorer(Protocol):
    """A method that gives each event its probability of being signal."""

    @property
    def name(self) -> str:
        """The name under which its metrics are logged."""

    def score(self, events: Events) -> Scores:
        """Return (n,) float64, from 0 to 1, each event by itself.

        Neither order nor company of the events may matter, nor what is not known of
        collisions: weight, label and sample.

        Raises
        ------
        InputError
            The events are not such as it can score, or it was trained on some of them.
        """


class TrainedScorer(Scorer, Protocol):
    """A scorer that was trained on all folds but one."""

    @property
    def folds(self) -> FoldsConfig:
        """The folds of the training; `held_out` is the one that it has not seen."""

    def score_seen(self, events: Events) -> Scores:
        """Return the same of events that it may have been trained on.

        To see how much it has learnt by heart; never for a result.
        """
