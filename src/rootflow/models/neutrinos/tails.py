"""The latent distribution of a flow: a Gaussian, or one with heavier tails.

It is Student's t distribution of several components with a common number of degrees of freedom
(S. Kotz, S. Nadarajah, "Multivariate t Distributions and Their Applications", equation 1.1,
doi:10.1017/CBO9780511550683), scaled by a temperature. For many degrees of freedom it is the
Gaussian.
"""

from itertools import chain
from typing import NamedTuple

import numpy as np
import scipy.stats
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.floating]

# So many that a float32 does not tell it from a Gaussian.
GAUSSIAN = 1e6
DEGREES = np.geomspace(3.0, 1000.0, 200)
LEVELS = (0.6827, 0.9545)
REPLICAS, SEED = 200, 1
TINY = 1e-12


class Tails(NamedTuple):
    """Temperature and degrees of freedom, with their statistical errors."""

    temperature: float
    temperature_error: float
    degrees_of_freedom: float
    degrees_of_freedom_error: float


def log_norm(size: int, degrees: float) -> float:
    """Return the logarithm of the density at zero of t distributed vectors of a size."""
    half = 0.5 * (degrees + size)
    inner = gammaln(half) - gammaln(0.5 * degrees) if degrees < GAUSSIAN else 0.0
    spread = degrees * np.pi if degrees < GAUSSIAN else 2.0 * np.pi
    return float(inner - 0.5 * size * np.log(spread))


def heavier(noise: Floats, degrees: float) -> Floats:
    """Return t distributed vectors of normal ones (..., size), as long as their rank says.

    From `GAUSSIAN` degrees of freedom on nothing changes.
    """
    if degrees >= GAUSSIAN:
        return noise
    size = noise.shape[-1]
    squares = np.sum(np.square(noise, dtype=np.float64), axis=-1)
    rank = scipy.stats.chi2.sf(squares, size)
    longer = np.sqrt(size * scipy.stats.f.isf(rank, size, degrees) / np.maximum(squares, TINY))
    scaled: Floats = (noise * longer[..., np.newaxis]).astype(noise.dtype)
    return scaled


def fitted(squares: Floats, weight: Floats, size: int) -> Tails:
    """Return temperature and degrees of freedom with which two regions hold what they should.

    They are the balls of latent vectors that should hold `LEVELS` of the events: what matters of
    a posterior is that its credible regions hold the truth as often as they say (V. Kuleshov,
    N. Fenner, S. Ermon, arXiv:1807.00263). Degrees of freedom follow from the ratio of the two
    radii, the temperature from the inner one. Errors are those of a bootstrap. `squares` (n,) are
    of the latent vectors' lengths, `size` their components.
    """
    order = np.argsort(squares)
    radii, weight = squares[order] / size, weight[order]
    random = np.random.default_rng(SEED)
    replicas = (weight * random.poisson(1.0, len(weight)) for _ in range(REPLICAS))
    inner, outer = np.transpose([_quantiles(radii, each) for each in chain([weight], replicas)])
    expected = scipy.stats.f.ppf(np.reshape(LEVELS, (-1, 1)), size, DEGREES)
    # With more degrees the ratio gets smaller.
    degrees = np.exp(np.interp(-outer / inner, -expected[1] / expected[0], np.log(DEGREES)))
    temperature = np.sqrt(inner / scipy.stats.f.ppf(LEVELS[0], size, degrees))
    return Tails(
        float(temperature[0]),
        float(np.std(temperature[1:])),
        float(degrees[0]),
        float(np.std(degrees[1:])),
    )


def _quantiles(ascending: Floats, weight: Floats) -> Floats:
    """Return the weighted quantiles at both levels; weights may be negative."""
    below = np.maximum.accumulate(np.cumsum(weight))
    places = np.searchsorted(below, np.multiply(LEVELS, np.sum(weight)))
    found: Floats = ascending[places]
    return found
