"""Kinematics of batches, written with keras.ops.

A momentum is a tensor whose last axis is px, py, pz, energy in GeV.
"""

import math
from typing import Any

import numpy as np
from keras import ops

Tensor = Any
KINEMATICS = ("pt", "eta", "phi", "energy")


def momentum(pt: Tensor, eta: Tensor, phi: Tensor, energy: Tensor, axis: int) -> Tensor:
    """Return px, py, pz, energy along an axis, along which there is one number of each."""
    directions = ops.concatenate([ops.cos(phi), ops.sin(phi), ops.sinh(eta)], axis=axis)
    return ops.concatenate([pt * directions, energy], axis=axis)


def mass(momenta: Tensor, axis: int = -1) -> Tensor:
    """Return the invariant mass, 0 where rounding makes its square negative.

    `axis`, counted from the last, is that of px, py, pz, energy.
    """
    signs = np.reshape(np.float32([-1.0, -1.0, -1.0, 1.0]), (4, *[1] * (-1 - axis)))
    return ops.sqrt(ops.relu(ops.sum(ops.square(momenta) * signs, axis=axis)))


def transverse(momenta: Tensor) -> Tensor:
    """Return the transverse momentum."""
    return ops.sqrt(ops.sum(ops.square(momenta[..., :2]), axis=-1))


def distance(eta: Tensor, phi: Tensor) -> Tensor:
    """Return the distance of differences in eta and phi, the angle taken the short way round."""
    turn = 2.0 * math.pi
    angle = phi - turn * ops.round(phi / turn)
    return ops.sqrt(ops.square(eta) + ops.square(angle))
