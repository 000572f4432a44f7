"""Which events train the network, and which ones watch it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldsConfig
from rootflow.dataset.events import Events
from rootflow.dataset.folds import fold_of, mix
from rootflow.errors import InputError

# Any number would do: it makes the split independent of the fold, which has none.
SALT = np.uint64(0x5EED0F5A11D)


class Split(NamedTuple):
    """Places of events in the dataset, rising."""

    training: NDArray[np.int64]
    validation: NDArray[np.int64]


def split(events: Events, folds: FoldsConfig, validation_fraction: float) -> Split:
    """Return the split of all folds but the held-out one.

    Where an event goes is a matter of its event number alone, so more files, or files in
    another order, leave every event where it was.

    Raises
    ------
    InputError
        One of the two has no events.
    """
    seen = fold_of(events.fold_numbers, folds) != folds.held_out
    share = mix(events.fold_numbers ^ SALT) / 2.0**64
    validates = share < validation_fraction
    parts = Split(np.flatnonzero(seen & ~validates), np.flatnonzero(seen & validates))
    for purpose, part in zip(("train on", "validate with"), parts, strict=True):
        if not len(part):
            raise InputError(
                f"no events to {purpose}: {np.sum(seen)} of {len(events)} events are outside "
                f"the held-out fold {folds.held_out}, training.validation_fraction is "
                f"{validation_fraction:g}; more events are needed"
            )
    return parts
