"""The exported models of all folds as a scorer."""

import numpy as np

from rootflow.dataset.events import Events
from rootflow.dataset.folds import fold_of
from rootflow.dataset.seen import refuse_other_features
from rootflow.errors import UsageError
from rootflow.exported import FoldedModel
from rootflow.exported.feeds import feeds_of
from rootflow.scoring.contract import Scores


class ExportedScorer:
    """A classifier of `rootflow export`, each event scored by the model that has not seen it.

    Parameters
    ----------
    model
        The one file of all folds, or those of each.
    trained_on_these
        Whether it is the simulated events of its training that it will be asked to score.

    Raises
    ------
    UsageError
        It assigns jets and gives no score, or has not a model for every fold.
    """

    def __init__(self, model: FoldedModel, *, trained_on_these: bool) -> None:
        if model.contract.analysis != "h4l":
            raise UsageError(f"{model.name}: assigns jets and gives no score")
        if len(model.held_out) < model.folding.count:
            held_out = ", ".join(map(str, model.held_out))
            raise UsageError(
                f"{model.name}: models of fold {held_out} alone, which have seen all other "
                f"events: name the file of all {model.folding.count} folds, or the folder with "
                "folds.json"
            )
        self.name = model.name
        self._model = model
        self._trained_on_these = trained_on_these

    def score(self, events: Events) -> Scores:
        """Return (n,) the probability of signal, each by the model that has not seen the event.

        Raises
        ------
        InputError
            The events do not have the features that the model takes.
        """
        return self._score(events, None)

    def score_seen(self, events: Events) -> Scores | None:
        """Return (n,) the same by the model of the next fold, which has seen the event.

        None where it is not known that the events are those of the training.

        Raises
        ------
        InputError
            The events do not have the features that the model takes.
        """
        if not self._trained_on_these:
            return None
        scores = np.empty(len(events))
        own = fold_of(events.fold_numbers, self._model.folding)
        for fold in range(self._model.folding.count):
            chosen = np.flatnonzero(own == fold)
            following = (fold + 1) % self._model.folding.count
            scores[chosen] = self._score(events.take(chosen), following)
        return scores

    def _score(self, events: Events, fold: int | None) -> Scores:
        contract = self._model.contract
        wanted = contract.features
        found = {name: events.features.get(name, ()) for name in wanted}
        refuse_other_features(self.name, found, wanted)
        inputs = {name: events.inputs()[name] for name in wanted}
        said = self._model.predict(
            feeds_of(contract, inputs),
            events.fold_numbers,
            fold=fold,
            allow_seen_events=fold is not None,
        )
        return said["score"][:, 0].astype(np.float64)
