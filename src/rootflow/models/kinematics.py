"""Kinematics of batches, written with keras.ops.

A momentum is a tensor whose last axis is px, py, pz, energy in GeV.
"""

import math
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any
SIGNS = np.array([-1.0, -1.0, -1.0, 1.0], np.float32)
KINEMATICS = ("pt", "eta", "phi", "energy")


def momentum(pt: Tensor, eta: Tensor, phi: Tensor, energy: Tensor, axis: int) -> Tensor:
    """Return px, py, pz, energy along an axis, along which there is one number of each."""
    return ops.concatenate([pt * directions(eta, phi, axis), energy], axis=axis)


def directions(eta: Tensor, phi: Tensor, axis: int) -> Tensor:
    """Return px, py, pz in units of pT, along an axis along which there is one of each."""
    return ops.concatenate([ops.cos(phi), ops.sin(phi), _sinh(eta)], axis=axis)


def _sinh(eta: Tensor) -> Tensor:
    if keras.backend.standardize_dtype(eta.dtype) != "float64":
        return ops.sinh(eta)
    return 0.5 * (ops.exp(eta) - ops.exp(-eta))  # ONNX Runtime has no Sinh of doubles


def mass(momenta: Tensor, axis: int = -1) -> Tensor:
    """Return the invariant mass, 0 where rounding makes its square negative.

    `axis` is that of px, py, pz, energy.
    """
    return ops.sqrt(ops.relu(squared_mass(momenta, axis)))


def squared_mass(momenta: Tensor, axis: int = -1, keepdims: bool = False) -> Tensor:
    """Return the square of the invariant mass, which rounding may make negative."""
    signs = np.expand_dims(SIGNS, tuple(range(1, len(momenta.shape[axis:]))))
    return ops.sum(ops.square(momenta) * signs, axis=axis, keepdims=keepdims)


def transverse(momenta: Tensor) -> Tensor:
    """Return the transverse momentum."""
    return ops.sqrt(ops.sum(ops.square(momenta[..., :2]), axis=-1))


def distance(eta: Tensor, phi: Tensor) -> Tensor:
    """Return the distance of differences in eta and phi, the angle taken the short way round."""
    turn = 2.0 * math.pi
    angle = phi - turn * ops.round(phi / turn)
    return ops.sqrt(ops.square(eta) + ops.square(angle))
