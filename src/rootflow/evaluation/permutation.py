"""Inputs permuted among events, to find what a model loses without them."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.evaluation.results import Importance

# Enough to know an error to 7 %.
REPLICAS = 100


def by_lot(
    index: NDArray[np.int64], at_most: int, random: np.random.Generator
) -> NDArray[np.int64]:
    """Return at most so many of the places, chosen by lot where there are more."""
    if len(index) <= at_most:
        return index
    return np.sort(random.choice(index, at_most, replace=False))


def permuted(
    events: Events,
    collection: str,
    features: Sequence[str],
    group: NDArray[np.integer],
    random: np.random.Generator,
) -> Events:
    """Return the events with features of a collection permuted within each group (n,)."""
    source = np.arange(len(group))
    for each in np.unique(group):
        places = np.flatnonzero(group == each)
        source[places] = random.permutation(places)
    array = events.collections[collection].copy()
    columns = [events.features[collection].index(feature) for feature in features]
    array[..., columns] = array[source][..., columns]
    return events.replace(**{collection: array})


def largest_first(found: Iterable[Importance]) -> tuple[Importance, ...]:
    """Return importances in the order in which they are shown."""
    return tuple(sorted(found, key=lambda importance: -importance.drop.value))
