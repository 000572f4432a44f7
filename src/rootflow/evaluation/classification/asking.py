"""What models say of events, checked before anything is made of it."""

from collections.abc import Sequence

import numpy as np

from rootflow.dataset.events import Events
from rootflow.errors import ConformanceError, UsageError
from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import Scored
from rootflow.methods.contract import Classifier
from rootflow.progress import progress


def scored_by(models: Sequence[Classifier], labelled: Labelled) -> tuple[Scored, ...]:
    """Return what every model says of all events, and of those that it has trained on."""
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


def score(model: Classifier, events: Events, labelled: Labelled) -> FloatArray:
    """Return (n,) the probability of signal of events that the model has not trained on.

    `labelled` says which classes are signal.
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
