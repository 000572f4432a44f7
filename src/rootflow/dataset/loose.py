"""Events of a file without a dataset."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.config.data import FoldingConfig
from rootflow.dataset.events import Events, Features
from rootflow.dataset.folds import fold_of
from rootflow.ntuple import Feature


def loose_events(
    features: Mapping[str, Sequence[Feature]],
    arrays: Mapping[str, NDArray[Any]],
    folds: FoldingConfig,
) -> Events:
    """Return the selected arrays of one file as events, in folds and with a file_index of 0."""
    number = arrays["event_number"]
    decides = arrays.get("fold_number", number)
    return Events(
        features=names_of(features),
        **arrays,
        file_index=np.zeros(len(number), dtype=np.int32),
        fold=fold_of(decides, folds),
    )


def names_of(features: Mapping[str, Sequence[Feature]]) -> Features:
    """Return the names of the features of each collection, in their order."""
    return {
        collection: tuple(feature.name for feature in of_collection)
        for collection, of_collection in features.items()
    }
