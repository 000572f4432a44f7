"""Numbers of events: features of the objects by name, and such as are drawn for an event."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rootflow.dataset.events import Events
from rootflow.dataset.folds import mix
from rootflow.errors import InputError
from rootflow.physics.kinematics import FloatArray, four_momentum


def feature(events: Events, collection: str, name: str) -> NDArray[Any]:
    """Return one feature of a collection, (n, slots)."""
    names: Sequence[str] = events.features[collection]
    if name not in names:
        raise InputError(
            f"the reconstruction needs the feature {name} of {collection}, "
            f"this dataset has {', '.join(names)}"
        )
    array: NDArray[Any] = events.collections[collection][..., names.index(name)]
    return array


def four_momenta(events: Events, collection: str) -> FloatArray:
    """Return the four-momenta (n, slots, 4) of jets or leptons, GeV; zero in padding."""
    pt, eta, phi, energy = (
        feature(events, collection, name) for name in ("pt", "eta", "phi", "energy")
    )
    return four_momentum(pt, eta, phi, energy)


def at(array: NDArray[Any], slots: NDArray[np.integer[Any]]) -> NDArray[Any]:
    """Return what stands at each event's own slots: (n, J, ...) at (n, k) gives (n, k, ...)."""
    chosen: NDArray[Any] = array[np.arange(len(array))[:, np.newaxis], slots]
    return chosen


def event_hash(events: Events, seed: int) -> NDArray[np.uint64]:
    """Return (n,) a number for each event, whatever the order of the events and their company."""
    seeds = np.full(len(events), seed % 2**64, dtype=np.uint64)
    of_file = mix(mix(seeds) ^ events.file_index.astype(np.uint64))
    found = mix(of_file ^ events.event_number.astype(np.uint64))
    for values in events.identity_columns.values():
        found = mix(found + values.astype(np.uint64))
    return found


def normal_numbers(events: Events, seed: int, places: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return standard normal numbers (n, *places.shape), one for each place of each event.

    `places` are where the numbers are in the endless row of an event's.
    """
    rows = event_hash(events, seed).reshape(-1, *[1] * places.ndim)
    bits = mix(rows ^ mix(places.astype(np.uint64)))
    # The middles of 2^53 even steps: never 0 or 1.
    even = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    numbers: NDArray[np.float32] = ndtri(even).astype(np.float32)
    return numbers
