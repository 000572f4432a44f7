"""Relativistic kinematics: pure functions on arrays, in GeV.

Formulas are those of the Review of Particle Physics, S. Navas et al., Phys. Rev. D 110,
030001 (2024), section 49, "Kinematics". A four-momentum is (px, py, pz, energy) along the
last axis, float64: differences of large energies lose too much in float32.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def four_momentum(pt: ArrayLike, eta: ArrayLike, phi: ArrayLike, energy: ArrayLike) -> FloatArray:
    """Return four-momenta (..., 4) from detector coordinates.

    px = pT cos(phi), py = pT sin(phi), pz = pT sinh(eta).
    """
    pt, eta, phi, energy = (np.asarray(a, dtype=np.float64) for a in (pt, eta, phi, energy))
    return np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), energy], axis=-1)


def massless(momentum: ArrayLike) -> FloatArray:
    """Return four-momenta (..., 4) of massless particles from px, py, pz (..., 3)."""
    momentum = np.asarray(momentum, dtype=np.float64)
    energy = np.linalg.norm(momentum, axis=-1, keepdims=True)
    return np.concatenate([momentum, energy], axis=-1)


def not_space_like(momentum: ArrayLike) -> FloatArray:
    """Return four-momenta (..., 4) whose energy is raised to |p| where it falls short of it.

    Ntuples hold rounded numbers: the mass of many a measured electron is imaginary.
    """
    momentum = np.array(momentum, dtype=np.float64)
    momenta = np.linalg.norm(momentum[..., :3], axis=-1)
    momentum[..., 3] = np.maximum(momentum[..., 3], momenta)
    return momentum


def invariant_mass(momentum: ArrayLike) -> FloatArray:
    """Return the mass (...) of four-momenta (..., 4), sqrt(E^2 - p^2).

    Rounding and detector resolution make some four-momenta space-like; their mass is zero.
    """
    momentum = np.asarray(momentum, dtype=np.float64)
    squared = momentum[..., 3] ** 2 - np.sum(momentum[..., :3] ** 2, axis=-1)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def transverse_momentum(momentum: ArrayLike) -> FloatArray:
    """Return pT (...) of momenta (..., 3) or four-momenta (..., 4)."""
    momentum = np.asarray(momentum, dtype=np.float64)
    return np.asarray(np.hypot(momentum[..., 0], momentum[..., 1]))


def delta_phi(phi: ArrayLike, other_phi: ArrayLike) -> FloatArray:
    """Return the signed difference of azimuthal angles, in [-pi, pi)."""
    difference = np.asarray(phi, dtype=np.float64) - np.asarray(other_phi, dtype=np.float64)
    return np.asarray((difference + np.pi) % (2 * np.pi) - np.pi)


def delta_r(
    eta: ArrayLike, phi: ArrayLike, other_eta: ArrayLike, other_phi: ArrayLike
) -> FloatArray:
    """Return sqrt((delta eta)^2 + (delta phi)^2)."""
    delta_eta = np.asarray(eta, dtype=np.float64) - np.asarray(other_eta, dtype=np.float64)
    return np.asarray(np.hypot(delta_eta, delta_phi(phi, other_phi)))
