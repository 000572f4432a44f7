"""The credible regions of a posterior, and where the truth is in them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.methods.contract import Posterior

Shares = NDArray[np.float64]


class Levels(NamedTuple):
    """For n events, the smallest credible level whose region holds the truth.

    Attributes
    ----------
    highest_density
        (n,), of regions of highest density of all six components together: the share of
        the samples where the density is higher than at the truth (R. J. Hyndman, The
        American Statistician 50, 120 (1996)).
    central
        (n, 2, 3), of central intervals of each component.
    """

    highest_density: Shares
    central: Shares


def levels_of(
    posterior: Posterior, neutrinos: NDArray[np.floating], log_density: NDArray[np.floating]
) -> Levels:
    """Return the levels at which the truth comes into the regions.

    Parameters
    ----------
    posterior
        Samples of n events.
    neutrinos
        (n, 2, 3), the true momenta in GeV.
    log_density
        (n,), the logarithm of the density there, per GeV^6.
    """
    higher = posterior.log_density > log_density[:, np.newaxis]
    return Levels(np.mean(higher, axis=1), central_level(posterior.neutrinos, neutrinos))


def central_level(samples: NDArray[np.floating], true: NDArray[np.floating]) -> Shares:
    """Return the level (n, ...) of the smallest central interval that holds the truth.

    Parameters
    ----------
    samples
        (n, samples, ...).
    true
        (n, ...).
    """
    count = samples.shape[1]
    below = (np.sum(samples < true[:, np.newaxis], axis=1) + 0.5) / (count + 1)
    return np.asarray(np.abs(2.0 * below - 1.0), np.float64)
