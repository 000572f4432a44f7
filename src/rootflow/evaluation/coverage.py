"""Whether credible regions hold the truth as often as they say."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.reconstruction.posterior import Posterior

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


class Coverage(NamedTuple):
    """Shares of events whose truth is in the region, and their binomial errors."""

    values: Shares
    errors: Shares


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
    below = np.mean(posterior.neutrinos < neutrinos[:, np.newaxis], axis=1)
    return Levels(np.mean(higher, axis=1), np.abs(2.0 * below - 1.0))


def coverage(levels: Shares, level: float, weight: NDArray[np.floating]) -> Coverage:
    """Return how often the region of a level holds the truth.

    Parameters
    ----------
    levels
        (n, ...), as `levels_of` gives them.
    level
        Such as 0.68.
    weight
        (n,) of the events; the errors are those of their effective number.
    """
    held = np.tensordot(weight, levels <= level, axes=1) / np.sum(weight)
    effective = np.sum(weight) ** 2 / np.sum(weight**2)
    return Coverage(np.asarray(held), np.sqrt(held * (1.0 - held) / effective))
