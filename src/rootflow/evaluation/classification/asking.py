"""What models say of events, and what they lose without one of their inputs."""

from collections.abc import Mapping, Sequence

import numpy as np

from rootflow.config import InputsConfig
from rootflow.dataset.events import Events
from rootflow.errors import ConformanceError, UsageError
from rootflow.evaluation.bootstrap import FloatArray, bootstrap
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.ranking import AreaUnderCurve
from rootflow.evaluation.classification.results import Scored
from rootflow.evaluation.paired import paired
from rootflow.evaluation.permutation import REPLICAS, by_lot, largest_first, permuted
from rootflow.evaluation.results import Importance
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
    """Return (n,) the probability of signal of events that the model has not trained on."""
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


def importances(
    models: Sequence[Classifier],
    scores: Mapping[str, FloatArray],
    simulation: Labelled,
    inputs: InputsConfig,
    at_most: int,
    seed: int,
) -> list[tuple[Importance, ...]]:
    """Return the loss in AUC by each input, the largest first, for every model.

    The values of the input are permuted among the labelled events of each fold, so that
    every event is still scored by the model that has not trained on it (L. Breiman, Machine
    Learning 45 (2001) 5, section 10). All models see the same permutations. `scores` (n,) are what
    each says of the events as they are; at most so many of them, chosen by lot, are used.
    """
    random = np.random.default_rng(seed)
    index = by_lot(np.arange(len(simulation)), at_most, random)
    events, signal = simulation.events.take(index), simulation.signal[index]
    areas = {
        f"{place}/whole": AreaUnderCurve(scores[model.name][index], signal)
        for place, model in enumerate(models)
    }
    chosen = [(collection, name) for collection, names in inputs.items() for name in names]
    with progress("importance", len(chosen), "inputs") as advance:
        for number, (collection, feature) in enumerate(chosen):
            without = permuted(events, collection, [feature], events.fold, random)
            for place, model in enumerate(models):
                said = score(model, without, simulation)
                areas[f"{place}/{number}"] = AreaUnderCurve(said, signal)
            advance(1, feature)
    found = bootstrap(areas, simulation.weight[index], REPLICAS, seed)
    return [
        largest_first(
            Importance(*each, paired(found[f"{place}/whole"], found[f"{place}/{number}"]).gain)
            for number, each in enumerate(chosen)
        )
        for place in range(len(models))
    ]
