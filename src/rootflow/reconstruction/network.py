"""A Keras model that keeps the Reconstructor contract."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldsConfig
from rootflow.dataset.events import Events
from rootflow.dataset.folds import fold_of
from rootflow.errors import InputError
from rootflow.reconstruction.contract import Reconstruction
from rootflow.reconstruction.decode import decode

EVENTS_AT_ONCE = 1024


class KerasReconstructor:
    """A trained network, applied to the events that it has not seen.

    Parameters
    ----------
    name
        The model's configured name.
    model
        What `rootflow.models` builds: a dict of raw inputs to a dict of `assignment` and
        `neutrinos`.
    folds
        The folds that it was trained with; `held_out` is the one that it has not seen.
    allow_seen_events
        Also reconstruct events of the training's folds, as for a look at overtraining.
    """

    def __init__(
        self, name: str, model: keras.Model, folds: FoldsConfig, *, allow_seen_events: bool = False
    ) -> None:
        self.name = name
        self._model = model
        self._folds = folds
        self._allow_seen_events = allow_seen_events

    def reconstruct(self, events: Events) -> Reconstruction:
        """Return the network's most probable assignment and its neutrinos.

        Raises
        ------
        InputError
            The network was trained on the fold of some of the events.
        """
        if not self._allow_seen_events:
            self._refuse_seen(events)
        parts = [self._reconstruct(batch) for batch in _batches(events)]
        return Reconstruction(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def _refuse_seen(self, events: Events) -> None:
        fold = fold_of(events.event_number, self._folds)
        seen = fold != self._folds.held_out
        if np.any(seen):
            raise InputError(
                f"{self.name} was trained on the folds of {np.sum(seen)} of these {len(events)} "
                f"events (folds {', '.join(map(str, np.unique(fold[seen])))} of "
                f"{self._folds.count}, {self._folds.scheme}); "
                f"it may be applied to fold {self._folds.held_out}"
            )

    def _reconstruct(self, events: Events) -> Reconstruction:
        # One shape for every batch: another one would be traced anew, and might be
        # summed in another order.
        count = len(events)
        inputs = {name: _filled_up(array) for name, array in _inputs(events).items()}
        outputs = self._model.predict_on_batch(inputs)
        return decode(
            np.asarray(outputs["assignment"])[:count],
            np.asarray(outputs["neutrinos"])[:count],
            events.jet_mask,
        )


def _batches(events: Events) -> Iterator[Events]:
    """Yield the events in batches; of no events, one batch of none."""
    for start in range(0, max(len(events), 1), EVENTS_AT_ONCE):
        yield events.take(slice(start, start + EVENTS_AT_ONCE))


def _inputs(events: Events) -> dict[str, NDArray[Any]]:
    inputs = {
        "jets": events.jets,
        "jet_mask": events.jet_mask,
        "leptons": events.leptons,
        "met": events.met,
    }
    return {**inputs, "event": events.event} if events.features["event"] else inputs


def _filled_up(array: NDArray[Any]) -> NDArray[Any]:
    full = np.zeros((EVENTS_AT_ONCE, *array.shape[1:]), array.dtype)
    full[: len(array)] = array
    return full
