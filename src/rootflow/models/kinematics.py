"""Kinematics of batches, written with keras.ops.

A momentum is a tensor whose last axis is px, py, pz, energy in GeV.
"""

import math
from typing import Any

from keras import ops

Tensor = Any


def momentum(pt: Tensor, eta: Tensor, phi: Tensor, energy: Tensor) -> Tensor:
    """Return px, py, pz, energy along a new last axis."""
    return ops.stack([pt * ops.cos(phi), pt * ops.sin(phi), pt * ops.sinh(eta), energy], axis=-1)


def mass(momenta: Tensor) -> Tensor:
    """Return the invariant mass, 0 where rounding makes its square negative."""
    squares = ops.square(momenta)
    return ops.sqrt(ops.maximum(squares[..., 3] - ops.sum(squares[..., :3], axis=-1), 0.0))


def transverse(momenta: Tensor) -> Tensor:
    """Return the transverse momentum."""
    return ops.sqrt(ops.sum(ops.square(momenta[..., :2]), axis=-1))


def delta_r(eta: Tensor, phi: Tensor, other_eta: Tensor, other_phi: Tensor) -> Tensor:
    """Return the distance in eta and phi, the angle taken the short way round."""
    turn = 2.0 * math.pi
    angle = phi - other_phi
    angle = angle - turn * ops.round(angle / turn)
    return ops.sqrt(ops.square(eta - other_eta) + ops.square(angle))
