"""Numbers that depend on nothing but a seed and an event's identity."""

import numpy as np
from numpy.typing import NDArray

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
