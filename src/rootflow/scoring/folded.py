"""The models of all folds as one: every event scored by the one that has not seen it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import numpy as np

from rootflow.config import FoldingConfig
from rootflow.dataset.events import DATA, Events
from rootflow.dataset.folds import fold_of
from rootflow.dataset.seen import of_one_name, refuse_other_folds
from rootflow.scoring.contract import Scores, TrainedScorer
from rootflow.scoring.load import of_training


class FoldedScorer:
    """k models, each trained without one of the k folds.

    Parameters
    ----------
    name
        Under which metrics are logged.
    scorers
        That at place k has not seen fold k.
    folds
        How events are divided.

    Raises
    ------
    UsageError
        There is not one scorer for each fold, or one has seen the fold of its place.
    """

    def __init__(self, name: str, scorers: Sequence[TrainedScorer], folds: FoldingConfig) -> None:
        refuse_other_folds(name, [scorer.folds for scorer in scorers], folds)
        self.name = name
        self.folds = folds
        self._scorers = tuple(scorers)

    @classmethod
    def of_trainings(cls, directories: Sequence[Path], name: str | None = None) -> Self:
        """Return the models of finished trainings, one of each fold, in whichever order.

        Parameters
        ----------
        directories
            Theirs.
        name
            Under which metrics are logged; none: as all were called when they were trained.

        Raises
        ------
        InputError
            One of the trainings is not finished or cannot be read, or there is none.
        UsageError
            They are not of one model, one for each fold.
        """
        scorers = of_one_name(of_training(directory, name=name) for directory in directories)
        folds = scorers[0].folds
        return cls(scorers[0].name, scorers, FoldingConfig(count=folds.count, scheme=folds.scheme))

    def score(self, events: Events) -> Scores:
        """Return (n,) the probability of signal, each by the model that has not seen the event.

        Raises
        ------
        InputError
            The events do not have the features that the models take.
        """
        fold = fold_of(events.fold_numbers, self.folds)
        return self._by_fold(events, fold, lambda scorer, part: scorer.score(part))

    def score_seen(self, events: Events) -> Scores:
        """Return (n,) the same by a model that has seen the event, for over-training checks.

        It is that of the next fold. Data were never trained on: there it is NaN.

        Raises
        ------
        InputError
            The events do not have the features that the models take.
        """
        following = (fold_of(events.fold_numbers, self.folds).astype(np.int64) + 1) % (
            self.folds.count
        )
        scores = self._by_fold(events, following, lambda scorer, part: scorer.score_seen(part))
        return scores if events.label is None else np.where(events.label == DATA, np.nan, scores)

    def _by_fold(
        self,
        events: Events,
        fold: np.typing.NDArray[np.integer],
        ask: Callable[[TrainedScorer, Events], Scores],
    ) -> Scores:
        scores = np.empty(len(events))
        for place, scorer in enumerate(self._scorers):
            chosen = np.flatnonzero(fold == place)
            scores[chosen] = ask(scorer, events.take(chosen))
        return scores
