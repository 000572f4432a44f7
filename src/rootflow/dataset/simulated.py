"""The name of what a training can see of a dataset."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.arrays import EVENTS_AT_ONCE, map_array
from rootflow.dataset.events import DATA
from rootflow.dataset.manifest import Array
from rootflow.ntuple import Feature

# Which event it is, of which file and sample, and what weights it has beside the nominal one.
NOT_LEARNT_FROM = (
    *("event_number", "fold_number", "fold", "identity"),
    *("file_index", "sample", "systematic_weights"),
)


def digest_of_simulation(
    directory: Path, arrays: Mapping[str, Array], features: Mapping[str, Sequence[Feature]]
) -> str:
    """Return a digest of all that a training can see of the simulated events of a dataset.

    These are their arrays, in their order, the numbers that decide their folds, and the names and
    units of the features, and with what these change their signs. Collisions beside them do not
    change it, nor do names and titles of samples and files.
    """
    named = {
        collection: [
            (feature.name, feature.unit, *feature.changes_with) for feature in of_collection
        ]
        for collection, of_collection in features.items()
    }
    digest = hashlib.sha256(json.dumps(named, sort_keys=True).encode())
    decides_folds = "fold_number" if "fold_number" in arrays else "event_number"
    # Collisions may have made these numbers of another type, or have others for their folds.
    learnt_from = {"folds": (decides_folds, "<u8")} | {
        name: (name, array.dtype) for name, array in arrays.items() if name not in NOT_LEARNT_FROM
    }
    for called, (name, dtype) in sorted(learnt_from.items()):
        array = arrays[name]
        digest.update(json.dumps([called, dtype, array.shape[1:]]).encode())
        for start in range(0, array.shape[0], EVENTS_AT_ONCE):
            part = slice(start, start + EVENTS_AT_ONCE)
            # Opened anew each time, so that what was read does not stay in memory.
            block = map_array(directory, name, array.dtype, array.shape)[part]
            chosen = block[_simulated(directory, arrays, part)].astype(dtype, copy=False)
            digest.update(np.ascontiguousarray(chosen).data)
    return digest.hexdigest()[:16]


def _simulated(
    directory: Path, arrays: Mapping[str, Array], part: slice
) -> NDArray[np.bool_] | slice:
    """Return which events of a part are no collisions: all where there are no labels."""
    if "label" not in arrays:
        return slice(None)
    label = arrays["label"]
    simulated: NDArray[np.bool_] = (
        map_array(directory, "label", label.dtype, label.shape)[part] != DATA
    )
    return simulated
