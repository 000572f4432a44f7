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
    """A model that has not trained on the events, as a `rootflow.methods.model.Model`."""

    @property
    def name(self) -> str:
        """Under which metrics are logged."""

    def answer(self, events: Events) -> FloatArray:
        """Return (n,) or (n, classes) from 0 to 1, by a model that has not trained on the event.

        Of two classes (n,), the probability of the second one.
        """


class FoldedModel(ScoringModel, Protocol):
    """A model of every fold, as `rootflow.methods.combined.FoldedMethod`."""

    def answer_seen(self, events: Events) -> FloatArray | None:
        """Return the same of labelled events, each by a model that has trained on it.

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
            said = model.answer_seen(events) if hasattr(model, "answer_seen") else None
            if said is not None:
                in_training[simulated] = _signal_in(said, model.name, len(simulated), labelled)
            every = model.answer(labelled.events)
            scores = _signal_in(every, model.name, len(labelled), labelled)
            probabilities = np.asarray(every, np.float64) if np.ndim(every) > 1 else None
            found.append(Scored(model.name, scores, in_training, probabilities))
            advance(1, model.name)
    return tuple(found)


def score(model: ScoringModel, events: Events, labelled: Labelled) -> FloatArray:
    """Return (n,) the probability of signal of events that the model has not trained on.

    `labelled` says which classes are signal.

    Raises
    ------
    ConformanceError
        They are not as many as events, or not numbers from 0 to 1.
    """
    return _signal_in(model.answer(events), model.name, len(events), labelled)


def _signal_in(said: FloatArray, name: str, events: int, labelled: Labelled) -> FloatArray:
    """Return (n,) the probability of all classes together that are signal."""
    scores, classes = np.asarray(said, np.float64), labelled.classes
    if scores.shape not in ((events,), (events, len(classes))):
        raise ConformanceError(f"{name}: scores of shape {scores.shape} for {events} events")
    broken = ~((scores >= 0) & (scores <= 1))
    if np.any(broken):
        raise ConformanceError(
            f"{name}: {np.sum(broken)} of {np.size(scores)} scores are not from 0 to 1, "
            f"the first is {scores[broken][0]}"
        )
    if scores.ndim > 1:
        of_signals = scores[:, [classes.index(signal) for signal in labelled.signals]]
        return np.asarray(np.minimum(of_signals.sum(axis=1), 1.0))
    return scores if classes[1] in labelled.signals else 1 - scores
