"""The values that a model can have seen: between which the features of a dataset are."""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset import Dataset
from rootflow.dataset.events import DATA, Events
from rootflow.ntuple.objects import mask_name

EVENTS_AT_ONCE = 100_000
# By collection, (objects, features, 2): the smallest and the largest value. Where there is a mask
# all objects are one.
Ranges = Mapping[str, NDArray[np.float32]]


def ranges_of(parts: Iterable[Events]) -> Ranges:
    """Return the range of every feature of real objects in the simulated events of all parts.

    Where there is not one object, the range is from inf to -inf.
    """
    found: dict[str, NDArray[np.float32]] = {}
    for events in parts:
        for name, array in _objects(events).items():
            low = array.min(axis=0, initial=np.inf)
            high = array.max(axis=0, initial=-np.inf)
            if name in found:
                low = np.minimum(low, found[name][..., 0])
                high = np.maximum(high, found[name][..., 1])
            found[name] = np.stack([low, high], axis=-1)
    return found


def parts_of(dataset: Dataset) -> Iterable[Events]:
    """Yield all events of a dataset, some at a time."""
    for start in range(0, len(dataset), EVENTS_AT_ONCE):
        yield dataset.events(slice(start, start + EVENTS_AT_ONCE))


def _objects(events: Events) -> dict[str, NDArray[np.float32]]:
    """Return (n, objects, features) by collection; each that has a mask is an n of its own."""
    if events.label is not None:
        events = events.take(events.label != DATA)
    inputs = events.inputs()
    arrays = {name: inputs[name] for name, features in events.features.items() if features}
    for name in arrays:
        if (mask := mask_name(name)) in inputs:
            arrays[name] = arrays[name][inputs[mask]]
    return {
        name: array if array.ndim == 3 else array[:, np.newaxis] for name, array in arrays.items()
    }
