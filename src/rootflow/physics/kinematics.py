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
    squared = momentum[..., 3] ** 2 - scalar_product(momentum, momentum)
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)))


def scalar_product(first: FloatArray, second: FloatArray) -> FloatArray:
    """Return the scalar products (...) of vectors (..., 3), or of those of four-momenta (..., 4).

    A sum along so short an axis gives the same bits, and takes five times as long.
    """
    x, y, z = (first[..., place] * second[..., place] for place in range(3))
    return np.asarray(x + y + z)


def transverse_momentum(momentum: ArrayLike) -> FloatArray:
    """Return pT (...) of momenta (..., 3) or four-momenta (..., 4)."""
    momentum = np.asarray(momentum, dtype=np.float64)
    return np.asarray(np.hypot(momentum[..., 0], momentum[..., 1]))


def delta_phi(phi: ArrayLike, other_phi: ArrayLike) -> FloatArray:
    """Return the signed difference of azimuthal angles, in [-pi, pi)."""
    difference = np.asarray(phi, dtype=np.float64) - np.asarray(other_phi, dtype=np.float64)
    turns = np.floor((difference + np.pi) / (2 * np.pi))
    return np.asarray(difference - 2 * np.pi * turns)


def delta_r(
    eta: ArrayLike, phi: ArrayLike, other_eta: ArrayLike, other_phi: ArrayLike
) -> FloatArray:
    """Return sqrt((delta eta)^2 + (delta phi)^2)."""
    delta_eta = np.asarray(eta, dtype=np.float64) - np.asarray(other_eta, dtype=np.float64)
    return np.asarray(np.sqrt(delta_eta**2 + delta_phi(phi, other_phi) ** 2))


def momentum_size(momentum: ArrayLike) -> FloatArray:
    """Return the size (...) of momenta (..., 3) or of those of four-momenta (..., 4)."""
    momentum = np.asarray(momentum, dtype=np.float64)
    return np.asarray(np.sqrt(scalar_product(momentum, momentum)))


def rapidity(momentum: ArrayLike) -> FloatArray:
    """Return the rapidity (...) of four-momenta (..., 4): atanh(pz / E)."""
    momentum = np.asarray(momentum, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.arctanh(momentum[..., 2] / momentum[..., 3]))


def pseudorapidity(momentum: ArrayLike) -> FloatArray:
    """Return eta (...) of momenta (..., 3) or four-momenta (..., 4), asinh(pz / pT)."""
    momentum = np.asarray(momentum, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.arcsinh(momentum[..., 2] / transverse_momentum(momentum)))


def opening_angle(momentum: ArrayLike, other: ArrayLike) -> FloatArray:
    """Return the angle (...) in [0, pi] between momenta (..., 3) or four-momenta (..., 4).

    atan2 of cross and scalar product: an arc cosine loses half its digits at small angles.
    """
    first, second = (np.asarray(a, dtype=np.float64)[..., :3] for a in (momentum, other))
    crossed = momentum_size(np.cross(first, second))
    return np.asarray(np.arctan2(crossed, scalar_product(first, second)))


def in_rest_frame(momenta: FloatArray, frame: FloatArray) -> FloatArray:
    """Return four-momenta (n, k, 4) as seen where the four-momenta `frame` (n, 4) rest.

    With P, E and m of the frame, E' = (E e - P p) / m and p' = p - P (e + E') / (E + m):
    Review of Particle Physics, section 49.1, with gamma = E / m and gamma beta = P / m.
    A frame without mass has no rest: there everything is zero.
    """
    frame = frame[:, np.newaxis]
    mass = invariant_mass(frame)
    energy = momenta[..., 3]
    scalar = frame[..., 3] * energy - scalar_product(frame, momenta)
    rests = np.broadcast_to(mass > 0, scalar.shape)
    at_rest = np.empty(momenta.shape)
    at_rest[..., 3] = np.divide(scalar, mass, out=np.zeros_like(scalar), where=rests)
    share = (energy + at_rest[..., 3]) / (frame[..., 3] + mass)
    for place in range(3):
        at_rest[..., place] = momenta[..., place] - frame[..., place] * share
    at_rest[~rests] = 0.0
    return at_rest


def unit(vectors: FloatArray) -> FloatArray:
    """Return vectors of length one, zero where they have none."""
    length = momentum_size(vectors)[..., np.newaxis]
    return np.asarray(np.divide(vectors, length, out=np.zeros_like(vectors), where=length > 0))
