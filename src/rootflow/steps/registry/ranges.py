"""From which values to which the inputs of a model go in the events that it was made with."""

from typing import NamedTuple

import numpy as np

from rootflow.dataset import Dataset
from rootflow.dataset.events import DATA, Features

EVENTS_AT_ONCE = 100_000


class Range(NamedTuple):
    """The smallest and the largest value of a feature, in the dataset's units."""

    collection: str
    feature: str
    low: float
    high: float


def ranges_of(dataset: Dataset, features: Features) -> list[Range]:
    """Return the ranges of features in all simulated events of a dataset.

    Parameters
    ----------
    dataset
        Its events are read in chunks.
    features
        Which, by collection; absent jets do not count.
    """
    limits = {
        (collection, name): (np.inf, -np.inf)
        for collection, names in features.items()
        for name in names
    }
    for start in range(0, len(dataset), EVENTS_AT_ONCE):
        events = dataset.events(slice(start, start + EVENTS_AT_ONCE))
        simulated = slice(None) if events.label is None else np.asarray(events.label != DATA)
        for (collection, name), (low, high) in limits.items():
            column = events.features[collection].index(name)
            values = getattr(events, collection)[simulated][..., column]
            if collection == "jets":
                values = values[events.jet_mask[simulated]]
            if values.size:
                limits[collection, name] = (min(low, values.min()), max(high, values.max()))
    return [
        Range(collection, name, float(low), float(high))
        for (collection, name), (low, high) in limits.items()
        if low <= high
    ]
