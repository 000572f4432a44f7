"""Features of the reconstructed objects, by their names."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
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
