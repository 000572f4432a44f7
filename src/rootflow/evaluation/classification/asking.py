"""What models say of events, checked before anything is made of it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from rootflow.dataset.events import Events
from rootflow.errors import ConformanceError, UsageError
from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import Scored
from rootflow.progress import progress


class ScoringModel(Protocol):
    """A model that has not seen the events that it scores, as a `rootflow.methods.model.Model`."""

    @property
    def name(self) -> str:
        """Under which metrics are logged."""

    def answer(self, events: Events) -> FloatArray:
        """Return (n,) from 0 to 1, each event by the model that has not seen it."""


class FoldedModel(ScoringModel, Protocol):
    """A model of every fold, as `rootflow.methods.combined.FoldedMethod`."""

    def answer_seen(self, events: Events) -> FloatArray | None:
        """Return (n,) of labelled events, each by a model that has trained on it.

        None where the events are others than those of the training, or may be.
        """


def scored_by(models: Sequence[FoldedModel], labelled: Labelled) -> tuple[Scored, ...]:
    """Return what every model says of all events, and of those that it has trained on.

    Raises
    ------
    UsageError
        There is no model, or two have one name.
    ConformanceError
        A model's scores are not as many as events, or not numbers from 0 to 1.
    """
    names = [model.name for model in models]
    if not names:
        raise UsageError("there is no model to evaluate: name at least one")
    if len(set(names)) < len(names):
        raise UsageError(f"each model needs a name of its own, these are {', '.join(names)}")
    simulated = np.flatnonzero(~labelled.data)
    found = []
    with progress("score", len(models), "models") as advance:
        for model in models:
            in_training = np.full(len(labelled), np.nan)
            events = labelled.events.take(simulated)
            said = model.answer_seen(events)
            if said is not None:
                in_training[simulated] = _checked(model.name, said, len(events))
            found.append(Scored(model.name, score(model, labelled.events), in_training))
            advance(1, model.name)
    return tuple(found)


def score(model: ScoringModel, events: Events) -> FloatArray:
    """Return (n,) what the model says of events that it has not seen.

    Raises
    ------
    ConformanceError
        They are not as many as events, or not numbers from 0 to 1.
    """
    return _checked(model.name, model.answer(events), len(events))


def _checked(name: str, scores: FloatArray, events: int) -> FloatArray:
    if np.shape(scores) != (events,):
        raise ConformanceError(f"{name}: scores of shape {np.shape(scores)} for {events} events")
    broken = ~((scores >= 0) & (scores <= 1))
    if np.any(broken):
        raise ConformanceError(
            f"{name}: {np.sum(broken)} of {events} scores are not from 0 to 1, "
            f"the first is {scores[np.argmax(broken)]}"
        )
    return np.asarray(scores, np.float64)
