"""Top-quark pairs that decay exactly as two-body kinematics says, isotropically."""

from typing import NamedTuple

import numpy as np
import vector
from numpy.typing import NDArray

TOP_MASS, W_MASS = 172.5, 80.379
FloatArray = NDArray[np.float64]


class ToyTops(NamedTuple):
    """n decays: b quarks, leptons (n, 2, 4), neutrinos (n, 2, 3) and their pT's sum (n, 2), GeV."""

    b_quarks: FloatArray
    leptons: FloatArray
    neutrinos: FloatArray
    met: FloatArray


def toy_tops(count: int, b_mass: float = 0.0, lepton_mass: float = 0.0, seed: int = 1) -> ToyTops:
    """Return decays of top quarks with momenta as at the LHC."""
    random = np.random.default_rng(seed)
    shape = (count, 2)
    tops = vector.array(
        {
            "pt": random.gamma(2.5, 45.0, shape),
            "phi": random.uniform(-np.pi, np.pi, shape),
            "eta": random.normal(0, 1.3, shape),
            "mass": np.full(shape, TOP_MASS),
        }
    )
    w, b = _decay(tops, TOP_MASS, W_MASS, b_mass, random)
    lepton, neutrino = _decay(w, W_MASS, lepton_mass, 0.0, random)
    neutrinos = _array(neutrino)[..., :3]
    return ToyTops(_array(b), _array(lepton), neutrinos, neutrinos[..., :2].sum(axis=1))


def _decay(
    parent: vector.VectorNumpy4D,
    mass: float,
    first_mass: float,
    second_mass: float,
    random: np.random.Generator,
) -> tuple[vector.VectorNumpy4D, vector.VectorNumpy4D]:
    energy = (mass**2 + first_mass**2 - second_mass**2) / (2 * mass)
    momentum = np.sqrt(energy**2 - first_mass**2)
    cosine, phi = random.uniform(-1, 1, parent.shape), random.uniform(-np.pi, np.pi, parent.shape)
    sine = np.sqrt(1 - cosine**2)
    direction = {"px": sine * np.cos(phi), "py": sine * np.sin(phi), "pz": cosine}
    first = {name: momentum * value for name, value in direction.items()}
    second = {name: -value for name, value in first.items()}
    other_energy = np.hypot(momentum, second_mass)
    return tuple(
        vector.array({**part, "E": np.full(parent.shape, part_energy)}).boost_p4(parent)
        for part, part_energy in ((first, energy), (second, other_energy))
    )


def _array(momenta: vector.VectorNumpy4D) -> FloatArray:
    return np.stack([momenta.px, momenta.py, momenta.pz, momenta.E], axis=-1)
