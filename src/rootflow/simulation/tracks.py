"""Impact parameters of leptons, from where they are produced."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.detector import TracksConfig
from rootflow.simulation.record import Momenta

Vertices = NDArray[np.float64]


class ImpactParameters(NamedTuple):
    """Of each lepton, mm: d0, its resolution, and z0."""

    d0: NDArray[np.float64]
    d0_resolution: NDArray[np.float64]
    z0: NDArray[np.float64]


def measure_impact_parameters(
    momentum: Momenta, vertex: Vertices, config: TracksConfig, rng: np.random.Generator
) -> ImpactParameters:
    """Return the measured impact parameters of leptons with respect to the collision.

    `momentum` (n,) is in GeV, `vertex` (n, 3) where each is produced, x, y, z in mm. The tracks are
    straight: over the millimetres that hadrons fly, the bending of a lepton of some GeV is much
    below the resolution. With the sign of the perigee parameters, d0 = y cos(phi) - x sin(phi), z0
    = z - (x cos(phi) + y sin(phi)) cot(theta).
    """
    x, y, z = vertex.T
    cosine, sine = np.cos(momentum.phi), np.sin(momentum.phi)
    sinh_eta = np.sinh(momentum.eta)
    d0_resolution = config.d0_at_high_pt_mm * np.hypot(1, config.d0_pt_gev / momentum.pt)
    z0_resolution = (
        config.z0_sin_theta_at_high_pt_mm
        * np.hypot(1, config.z0_sin_theta_pt_gev / momentum.pt)
        * np.cosh(momentum.eta)
    )
    spread = rng.standard_normal((2, len(x)))
    return ImpactParameters(
        d0=y * cosine - x * sine + d0_resolution * spread[0],
        d0_resolution=d0_resolution,
        z0=z - (x * cosine + y * sine) * sinh_eta + z0_resolution * spread[1],
    )
