"""Four leptons as the decay X -> Z1 Z2: pairs, masses and angles.

All is computed in float64, whatever the leptons come in.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.physics.kinematics import (
    FloatArray,
    four_momentum,
    in_rest_frame,
    invariant_mass,
    scalar_product,
    transverse_momentum,
    unit,
)

# Mass of the Z boson: Review of Particle Physics, S. Navas et al., Phys. Rev. D 110, 030001 (2024).
Z_MASS_GEV = 91.1876

PAIRS = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))  # the k-th last is what the k-th leaves
PT, ETA, PHI, ENERGY, PDG_ID = range(5)

FEATURES: tuple[tuple[str, str], ...] = (
    ("m4l", "GeV"),
    *((f"mass_{first + 1}{second + 1}", "GeV") for first, second in PAIRS),
    ("z1_mass", "GeV"),
    ("z2_mass", "GeV"),
    ("pt_4l", "GeV"),
    ("rapidity_4l", "none"),
    ("cos_theta_star", "none"),
    ("cos_theta_1", "none"),
    ("cos_theta_2", "none"),
    ("phi", "rad"),
    ("phi_1", "rad"),
)


class ZPairing(NamedTuple):
    """Four leptons as two pairs of the same flavour and opposite charge; masses (n,) in GeV.

    Z1 is, of all pairs that leave such a pair, that with the mass nearest to the Z boson's, Z2
    what it leaves; of both, slots (n, 2) of the negative and of the positive lepton.
    """

    valid: NDArray[np.bool_]  # where there are two such pairs; elsewhere the slots mean nothing
    z1: NDArray[np.int64]
    z2: NDArray[np.int64]
    z1_mass: FloatArray  # zero where not valid
    z2_mass: FloatArray
    lowest_mass: FloatArray  # of all such pairs, whatever they leave; infinite where there is none
    momenta: FloatArray  # (n, 4, 4) of the leptons
    masses: FloatArray  # (n, 6) of `PAIRS`


def observables(
    leptons: NDArray[np.float32], pairing: ZPairing | None = None
) -> dict[str, FloatArray]:
    """Return every quantity of `FEATURES`, each (n,), by name.

    Masses of pairs are named after the places of their leptons, from 1. Where there are no
    two pairs of the same flavour and opposite charge, the masses of Z1 and Z2 and the
    angles are zero. Leptons (n, 4, 5) are pt, eta, phi, energy in GeV and pdg_id, negative for
    positive charge, falling in pT; the pairing is theirs, where it is known.
    """
    pairing = z_pairing(leptons) if pairing is None else pairing
    momenta, masses = pairing.momenta, pairing.masses
    angles = decay_angles(_of_slots(momenta, pairing.z1), _of_slots(momenta, pairing.z2))
    system = momenta.sum(axis=1)
    return {
        "m4l": invariant_mass(system),
        **{name: masses[:, pair] for pair, (name, _) in enumerate(FEATURES[1 : 1 + len(PAIRS)])},
        "z1_mass": pairing.z1_mass,
        "z2_mass": pairing.z2_mass,
        "pt_4l": transverse_momentum(system),
        "rapidity_4l": np.arctanh(system[:, 2] / system[:, 3]),
        **{name: np.where(pairing.valid, angle, 0.0) for name, angle in angles.items()},
    }


def z_pairing(leptons: NDArray[np.float32]) -> ZPairing:
    """Return the pairs of leptons (n, 4, 5), as of `observables`, that are taken as Z1 and Z2."""
    momenta = four_momentum(*(leptons[..., column] for column in (PT, ETA, PHI, ENERGY)))
    first, second = np.transpose(PAIRS)
    pairs = (momenta[:, one] + momenta[:, other] for one, other in PAIRS)
    masses = np.stack([invariant_mass(pair) for pair in pairs], axis=-1)
    pdg_id = leptons[..., PDG_ID]
    opposite = pdg_id[:, first] == -pdg_id[:, second]
    both = opposite & opposite[:, ::-1]
    distance = np.where(both, np.abs(masses - Z_MASS_GEV), np.inf)
    chosen = np.argmin(distance, axis=1)
    left = len(PAIRS) - 1 - chosen
    valid = both.any(axis=1)
    every = np.arange(len(leptons))
    return ZPairing(
        valid=valid,
        z1=_negative_first(np.asarray(PAIRS)[chosen], pdg_id),
        z2=_negative_first(np.asarray(PAIRS)[left], pdg_id),
        z1_mass=np.where(valid, masses[every, chosen], 0.0),
        z2_mass=np.where(valid, masses[every, left], 0.0),
        lowest_mass=np.where(opposite, masses, np.inf).min(axis=1),
        momenta=momenta,
        masses=masses,
    )


def decay_angles(z1: FloatArray, z2: FloatArray) -> dict[str, FloatArray]:
    r"""Return the angles (n,) of X -> Z1 Z2 -> (l11 l12) (l21 l22), the last two in (-pi, pi].

    `z1` and `z2` (n, 2, 4) are the momenta of the negative and the positive lepton in GeV.

    As defined on page 3 of S. Bolognesi et al., Phys. Rev. D 86, 095031 (2012),
    arXiv:1208.4018, and in figure 1 of Y. Gao et al., Phys. Rev. D 81, 075022 (2010),
    arXiv:1001.3396. With the momenta :math:`q_1, q_2` of Z1 and Z2 and :math:`q_{11},
    q_{12}, q_{21}, q_{22}` of their leptons in the rest frame of X, the leptons with index 1
    negative (the fermions), and with the normals

    .. math::
        n_1 \propto q_{11} \times q_{12}, \quad n_2 \propto q_{21} \times q_{22}, \quad
        n_{sc} \propto \hat z \times q_1

    the angles are

    .. math::
        \cos\theta^* &= \hat q_1 \cdot \hat z \\
        \Phi &= \mathrm{sign}(q_1 \cdot (n_1 \times n_2)) \arccos(-n_1 \cdot n_2) \\
        \Phi_1 &= \mathrm{sign}(q_1 \cdot (n_1 \times n_{sc})) \arccos(n_1 \cdot n_{sc}) \\
        \cos\theta_1 &= -\hat q_2 \cdot \hat q_{11} \text{ in the rest frame of Z1} \\
        \cos\theta_2 &= -\hat q_1 \cdot \hat q_{21} \text{ in the rest frame of Z2}

    The axis :math:`\hat z` is the z axis of the detector, kept in the boost along the
    momentum of X to its rest frame.
    """
    decay = np.concatenate([z1, z2], axis=1)
    at_rest = in_rest_frame(decay, decay.sum(axis=1))[..., :3]
    of_z1 = at_rest[:, 0] + at_rest[:, 1]
    direction = unit(of_z1)
    normal_1 = np.cross(at_rest[:, 0], at_rest[:, 1])
    normal_2 = np.cross(at_rest[:, 2], at_rest[:, 3])
    production = np.cross([0.0, 0.0, 1.0], of_z1)
    return {
        "cos_theta_star": direction[:, 2],
        "cos_theta_1": _helicity_cosine(z1, z2),
        "cos_theta_2": _helicity_cosine(z2, z1),
        "phi": _signed_angle(normal_1, -normal_2, -direction),
        "phi_1": _signed_angle(normal_1, production, direction),
    }


def _signed_angle(normal: FloatArray, other: FloatArray, axis: FloatArray) -> FloatArray:
    """Return the angle (n,) from one vector to another, both at right angles to the axis.

    The arc tangent is sign and arc cosine in one, and exact where the angle is small.
    """
    sine = scalar_product(axis, np.cross(normal, other))
    return np.asarray(np.arctan2(sine, scalar_product(normal, other)))


def _helicity_cosine(boson: FloatArray, other: FloatArray) -> FloatArray:
    """Return cos(theta) (n,) of the first lepton in its boson's rest frame.

    The polar axis there is opposite to the other boson.
    """
    whole = boson[:, 0] + boson[:, 1]
    particles = np.stack([boson[:, 0], other[:, 0] + other[:, 1]], axis=1)
    lepton, recoil = np.moveaxis(in_rest_frame(particles, whole)[..., :3], 1, 0)
    return -scalar_product(unit(lepton), unit(recoil))


def _of_slots(momenta: FloatArray, slots: NDArray[np.int64]) -> FloatArray:
    return np.take_along_axis(momenta, slots[..., np.newaxis], axis=1)


def _negative_first(slots: NDArray[np.int64], pdg_id: NDArray[np.float32]) -> NDArray[np.int64]:
    swapped = np.take_along_axis(pdg_id, slots[:, :1], axis=1) < 0
    return np.where(swapped, slots[:, ::-1], slots)
