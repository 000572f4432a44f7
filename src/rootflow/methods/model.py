"""Methods that are trained models."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.analysis import TaskName
from rootflow.config import FoldingConfig
from rootflow.dataset.events import Events
from rootflow.dataset.folds import fold_of
from rootflow.errors import InputError
from rootflow.methods.answers import decode, over
from rootflow.methods.contract import Outputs


class Model(ABC):
    """A method that was trained, or several as one."""

    name: str  # under which its metrics are logged

    @property
    @abstractmethod
    def parameters(self) -> int | None:
        """How many numbers were fitted, None where that is not known."""

    @property
    @abstractmethod
    def task(self) -> TaskName:
        """What it was trained for: its answers are a `Reconstruction`, or `Scores`."""

    @abstractmethod
    def outputs(self, events: Events) -> Outputs:
        """Return what the model says of events that it was not trained on; errors of `answer`."""

    def outputs_seen(self, events: Events) -> Outputs | None:  # noqa: ARG002 - as others ask it
        """Return what models say that were trained on the events, None where there are none.

        To see how much was learnt by heart; never for a result.
        """
        return None

    def answer(self, events: Events) -> Any:
        """Return what the outputs mean: a `Reconstruction`, or `Scores`.

        It is an InputError if the model was trained on the fold of some of the events, or they do
        not have the features or the number of slots that it takes.
        """
        return decode(self.outputs(events), events.masks.get("jets"))

    def answer_seen(self, events: Events) -> Any:
        """Return the same of `outputs_seen`, None where there are none."""
        said = self.outputs_seen(events)
        return None if said is None else decode(said, events.masks.get("jets"))


def refuse_other_task(model: Model, task: TaskName, where: Path | str) -> None:
    """Refuse a model of another task; `where` is its file, or where it is named."""
    if model.task != task:
        raise InputError(f"{where}: a model of {model.task}: give one of {task}")


def next_fold(events: Events, folds: FoldingConfig) -> NDArray[np.int64]:
    """Return (n,) the fold after each event's own: its model was trained on the event."""
    return (fold_of(events.fold_numbers, folds).astype(np.int64) + 1) % folds.count


def places_of(
    fold: NDArray[np.integer], count: int
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Return where the events of each fold are, and where each event is among those in a row."""
    chosen = [np.flatnonzero(fold == place) for place in range(count)]
    return chosen, np.argsort(np.concatenate(chosen))


def of_folds(
    events: Events, fold: NDArray[np.integer], ask: Sequence[Callable[[Events], Outputs]]
) -> Outputs:
    """Return what is said of all events, those of each fold asked of its own."""
    chosen, back = places_of(fold, len(ask))
    parts = [one(events.take(index)) for one, index in zip(ask, chosen, strict=True)]
    return {name: values[back] for name, values in over(np.concatenate, parts).items()}
