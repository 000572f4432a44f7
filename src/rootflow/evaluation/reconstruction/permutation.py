"""What the accuracy of a network loses when it is not told one of its inputs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.evaluation.bootstrap import bootstrap
from rootflow.evaluation.cell_statistics import Drop
from rootflow.evaluation.results import Importance
from rootflow.methods.contract import Reconstructor
from rootflow.progress import progress

# Enough to know an error to 7 %.
REPLICAS = 100


def importances(
    method: Reconstructor, events: Events, at_most: int, seed: int
) -> tuple[Importance, ...]:
    """Return the loss in assignment accuracy by each input, the largest first.

    The values of a feature, or of a whole collection, are permuted among the matched events:
    those of jets among events with as many jets, all jets of an event together (L. Breiman,
    Machine Learning 45 (2001) 5, section 10). An input that others tell as well has no
    importance by itself. Errors are by 100 bootstrap replicas of the events with the values that
    they got. At most so many matched events are used, chosen by lot.
    """
    random = np.random.default_rng(seed)
    index = np.flatnonzero(events.matched)
    if len(index) > at_most:
        index = np.sort(random.choice(index, at_most, replace=False))
    events = events.take(index)
    whole = _right(method, events)
    inputs = _inputs(events)
    drops = {}
    with progress("importance", len(inputs), "inputs") as advance:
        for number, (collection, features) in enumerate(inputs):
            permuted = _permuted(events, collection, features, random)
            drops[str(number)] = Drop(whole, _right(method, permuted))
            advance(1, f"{method.name} {collection}")
    found = bootstrap(drops, events.weight, REPLICAS, seed)
    return tuple(
        sorted(
            (
                Importance(
                    collection,
                    features[0] if len(features) == 1 else None,
                    found[str(number)].estimate(),
                )
                for number, (collection, features) in enumerate(inputs)
            ),
            key=lambda importance: -importance.drop.value,
        )
    )


def _inputs(events: Events) -> list[tuple[str, Sequence[str]]]:
    collections = [name for name in events.collections if events.features[name]]
    wholes = [(name, events.features[name]) for name in collections]
    singles = [(name, (feature,)) for name, features in wholes for feature in features]
    return [*(whole for whole in wholes if len(whole[1]) > 1), *singles]


def _right(method: Reconstructor, events: Events) -> NDArray[np.bool_]:
    answers = method.answer(events).assignment
    return np.asarray(np.all(answers == events.assignment, axis=1))


def _permuted(
    events: Events, collection: str, features: Sequence[str], random: np.random.Generator
) -> Events:
    array = events.collections[collection].copy()
    columns = [events.features[collection].index(feature) for feature in features]
    jets = np.sum(events.jet_mask, axis=1)
    source = _permutation_within(jets if collection == "jets" else np.zeros_like(jets), random)
    array[..., columns] = array[source][..., columns]
    return events.replace(**{collection: array})


def _permutation_within(
    group: NDArray[np.integer], random: np.random.Generator
) -> NDArray[np.int64]:
    """Return (n,) a permutation that leaves every place in its group."""
    permutation = np.arange(len(group))
    for each in np.unique(group):
        places = np.flatnonzero(group == each)
        permutation[places] = random.permutation(places)
    return permutation
