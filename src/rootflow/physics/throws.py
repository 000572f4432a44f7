"""What else could have been measured: jets, leptons and MET thrown anew within the resolution.

For compiled code. Numbers are those of SplitMix64 (G. Steele, D. Lea, C. Flood, Fast Splittable
Pseudorandom Number Generators, OOPSLA 2014, doi:10.1145/2660193.2660195) from a state of each
event's own, so that an event's throws depend on nothing else.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.physics.compiled import compiled
from rootflow.physics.kinematics import FloatArray

State = NDArray[np.uint64]
# Jets (2, 4) and leptons (2, 4) as px, py, pz, energy, and the MET's px, py (2,), GeV.
Measured = tuple[FloatArray, FloatArray, FloatArray]

STEP = np.uint64(0x9E3779B97F4A7C15)
FIRST_FACTOR, SECOND_FACTOR = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
BITS_30, BITS_27, BITS_31, BITS_11 = (np.uint64(bits) for bits in (30, 27, 31, 11))
# Beyond so many widths a W boson is not thrown.
WIDTHS = 15.0


class Resolution(NamedTuple):
    """What is measured how well.

    sigma(pT)/pT of jets is noise / pT (+) stochastic / sqrt(pT) (+) constant, (+) being a sum in
    quadrature and pT in GeV.
    """

    jet_noise_gev: float
    jet_stochastic: float
    jet_constant: float
    jet_angle: float  # sigma of eta and of phi
    lepton: float  # sigma(E)/E
    met_gev: float  # sigma of px and of py, beside what jets and leptons do to the MET


@compiled
def uniform(state: State) -> float:
    """Return the next number in (0, 1), and step the state (1,) on."""
    state[0] += STEP
    mixed = state[0]
    mixed = (mixed ^ (mixed >> BITS_30)) * FIRST_FACTOR
    mixed = (mixed ^ (mixed >> BITS_27)) * SECOND_FACTOR
    mixed ^= mixed >> BITS_31
    return (float(mixed >> BITS_11) + 0.5) * 2.0**-53


@compiled
def normal(state: State) -> float:
    """Return the next normal number (G. Box, M. Muller, doi:10.1214/aoms/1177706645)."""
    radius = math.sqrt(-2 * math.log(uniform(state)))
    return radius * math.cos(2 * math.pi * uniform(state))


@compiled
def breit_wigner(state: State, mass: float, width: float) -> float:
    """Return a mass by the relativistic Breit-Wigner, |m^2 - M^2 + i M Gamma|^-2 in m^2."""
    if width <= 0:
        return mass
    lowest = math.atan(((mass - WIDTHS * width) ** 2 - mass**2) / (mass * width))
    highest = math.atan(((mass + WIDTHS * width) ** 2 - mass**2) / (mass * width))
    angle = lowest + (highest - lowest) * uniform(state)
    return math.sqrt(mass**2 + mass * width * math.tan(angle))


@compiled
def throw(state: State, measured: Measured, resolution: Resolution, thrown: Measured) -> None:
    """Write what could have been measured: what a jet or a lepton gains, the MET loses."""
    b_jets, leptons, met = measured
    thrown_jets, thrown_leptons, thrown_met = thrown
    for axis in range(2):
        thrown_met[axis] = met[axis] + resolution.met_gev * normal(state)
    for which in range(2):
        _throw_jet(state, b_jets[which], resolution, thrown_jets[which])
        scale = max(1 + resolution.lepton * normal(state), 0.0)
        for axis in range(4):
            thrown_leptons[which, axis] = scale * leptons[which, axis]
        for axis in range(2):
            thrown_met[axis] -= thrown_jets[which, axis] - b_jets[which, axis]
            thrown_met[axis] -= thrown_leptons[which, axis] - leptons[which, axis]


@compiled
def _throw_jet(state: State, jet: FloatArray, resolution: Resolution, thrown: FloatArray) -> None:
    pt2 = jet[0] ** 2 + jet[1] ** 2
    pt = math.sqrt(pt2)
    mass2 = max(jet[3] ** 2 - pt2 - jet[2] ** 2, 0.0)
    spread = math.sqrt(
        resolution.jet_noise_gev**2 / pt2
        + resolution.jet_stochastic**2 / pt
        + resolution.jet_constant**2
    )
    scale = max(1 + spread * normal(state), 0.0)
    eta = math.asinh(jet[2] / pt) + resolution.jet_angle * normal(state)
    phi = math.atan2(jet[1], jet[0]) + resolution.jet_angle * normal(state)
    thrown[0] = scale * pt * math.cos(phi)
    thrown[1] = scale * pt * math.sin(phi)
    thrown[2] = scale * pt * math.sinh(eta)
    thrown[3] = scale * math.sqrt((pt * math.cosh(eta)) ** 2 + mass2)
