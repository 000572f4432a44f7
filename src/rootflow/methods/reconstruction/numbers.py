"""Numbers of an event's own: they depend on a seed and its identity, and on nothing else."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rootflow.dataset.events import Events
from rootflow.dataset.folds import mix


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
