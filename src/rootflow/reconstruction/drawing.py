"""Random numbers that belong to an event, whatever its order and company."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from rootflow.dataset.events import Events
from rootflow.dataset.folds import mix
from rootflow.reconstruction.identity import event_hash


def normal_numbers(events: Events, seed: int, places: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return standard normal numbers (n, *places.shape), one for each place of each event.

    Parameters
    ----------
    events
        n of them.
    seed
        Another one gives other numbers.
    places
        Where the numbers are in the endless row of an event's.
    """
    rows = event_hash(events, seed).reshape(-1, *[1] * places.ndim)
    bits = mix(rows ^ mix(places.astype(np.uint64)))
    # The middles of 2^53 even steps: never 0 or 1.
    even = ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
    numbers: NDArray[np.float32] = ndtri(even).astype(np.float32)
    return numbers
