"""Events as a file's contract wants them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.exported.contract import OnnxContract

# What turns the GeV of rootflow's events into the unit of a feature; none: as it is.
FACTORS = {"MeV": np.float32(1000)}


def feeds_of(contract: OnnxContract, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays of `Events.inputs` that a model takes, in the units of its contract.

    Energies of the inputs are in GeV.
    """
    features = {tensor.name: tensor.features for tensor in contract.inputs}
    feeds = {}
    for name, array in inputs.items():
        if name not in features:  # a classifier may look at no lepton, or at nothing else
            continue
        factors = [FACTORS.get(feature.unit, np.float32(1)) for feature in features[name]]
        scaled = array * np.array(factors) if set(factors) - {1} else array
        feeds[name] = np.ascontiguousarray(scaled)
    return feeds
