"""The latent distribution of a flow: a Gaussian, or one with heavier tails.

It is Student's t distribution of several components with a common number of degrees of freedom
(S. Kotz, S. Nadarajah, "Multivariate t Distributions and Their Applications", equation 1.1,
doi:10.1017/CBO9780511550683), scaled by a temperature. For many degrees of freedom it is the
Gaussian.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.optimize
import scipy.stats
from numpy.typing import NDArray
from scipy.special import gammaln

Floats = NDArray[np.floating]

# So many that a float32 does not tell it from a Gaussian.
GAUSSIAN = 1e6
LOG_TEMPERATURES = (-2.0, 2.0)
LOG_DEGREES = (np.log(3.0), np.log(1000.0))
STEP = 0.02  # in the logarithms of both, for second derivatives
SMALLEST_CURVATURE = 1e-12
TINY = 1e-12


class Tails(NamedTuple):
    """Temperature and degrees of freedom, with their statistical errors."""

    temperature: float
    temperature_error: float
    degrees: float
    degrees_error: float


def log_norm(size: int, degrees: float) -> float:
    """Return the logarithm of the density at zero of t distributed vectors of a size."""
    half = 0.5 * (degrees + size)
    inner = gammaln(half) - gammaln(0.5 * degrees) if degrees < GAUSSIAN else 0.0
    spread = degrees * np.pi if degrees < GAUSSIAN else 2.0 * np.pi
    return float(inner - 0.5 * size * np.log(spread))


def heavier(noise: Floats, degrees: float) -> Floats:
    """Return t distributed vectors of normal ones: as long as their rank among lengths says.

    Parameters
    ----------
    noise
        (..., size), standard normal.
    degrees
        Of freedom; from `GAUSSIAN` on nothing changes.
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
    """Return temperature and degrees of freedom of largest likelihood.

    Parameters
    ----------
    squares
        (n,), of the latent vectors' lengths.
    weight
        (n,) of the events.
    size
        Components of a vector.
    """
    share = weight / np.sum(weight)

    def minus_log_likelihood(logs: Floats) -> float:
        temperature, degrees = np.exp(logs)
        along = 0.5 * (degrees + size) * np.log1p(squares / (temperature**2 * degrees))
        return float(share @ along + size * logs[0] - log_norm(size, float(degrees)))

    def best_at(log_degrees: float) -> float:
        """Return the logarithm of the likeliest temperature for these degrees of freedom."""
        return _smallest(
            lambda log: minus_log_likelihood(np.array([log, log_degrees])), LOG_TEMPERATURES
        )

    # One in the other: likelihoods hardly depend on many degrees, where other ways get stuck.
    log_degrees = _smallest(
        lambda log: minus_log_likelihood(np.array([best_at(log), log])), LOG_DEGREES
    )
    best = np.array([best_at(log_degrees), log_degrees])
    effective = np.sum(weight) ** 2 / np.sum(weight**2)
    errors = _errors(minus_log_likelihood, best) / np.sqrt(effective)
    temperature, degrees = np.exp(best)
    return Tails(
        float(temperature),
        float(temperature * errors[0]),
        float(degrees),
        float(degrees * errors[1]),
    )


def _smallest(function: Callable[[float], float], bounds: tuple[float, float]) -> float:
    """Return where between the bounds a function is smallest."""
    found = scipy.optimize.minimize_scalar(
        function, bounds=bounds, method="bounded", options={"xatol": 1e-5}
    )
    return float(found.x)


def _errors(function: Callable[[Floats], float], best: Floats) -> Floats:
    """Return one over the roots of the second derivatives, each for itself."""
    errors: list[float] = []
    for place in range(len(best)):
        step = np.zeros_like(best)
        step[place] = STEP
        curvature = (function(best + step) - 2 * function(best) + function(best - step)) / STEP**2
        errors.append(max(curvature, SMALLEST_CURVATURE) ** -0.5)
    return np.array(errors)
