"""Branches of numbers, in MeV and in 32 bits, as the experiments' ntuples have them."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

MEV_PER_GEV = 1000.0

Branches = dict[str, ak.Array | NDArray[np.int32] | NDArray[np.float32]]


def mev_branch(quantity: ak.Array | NDArray[np.float64]) -> ak.Array:
    """Return a branch in MeV of what is in GeV."""
    return float_branch(quantity * MEV_PER_GEV)


def float_branch(quantity: ak.Array | NDArray[np.float64]) -> ak.Array:
    """Return a branch of 32 bit floats."""
    return ak.values_astype(quantity, np.float32)


def integer_branch(quantity: ak.Array | NDArray[np.int32]) -> ak.Array:
    """Return a branch of 32 bit integers."""
    return ak.values_astype(quantity, np.int32)


def momentum_branches(prefix: str, momenta: ak.Array, suffix: str, energy: str) -> Branches:
    """Return the branches of momenta, phi from -pi on; the suffix is that of pT and energy."""
    return {
        f"{prefix}_pt{suffix}": mev_branch(momenta.pt),
        f"{prefix}_eta": float_branch(momenta.eta),
        f"{prefix}_phi": float_branch((momenta.phi + np.pi) % (2 * np.pi) - np.pi),
        f"{prefix}_{energy}{suffix}": mev_branch(momenta.E),
    }
