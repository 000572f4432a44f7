"""Both neutrinos of dileptonic ttbar, averaged over what else could have been measured.

CMS Collaboration, Eur. Phys. J. C 75 (2015) 542, arXiv:1505.04480, section on the kinematic
reconstruction: jets, leptons and m_W are thrown many times within their resolution and width,
the MET goes with them; of each throw's solutions that of the smallest m(ttbar) counts with the
product of the densities of both m(lb). There the densities are those of a simulation, here the
leading order's.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rootflow.physics.compiled import compiled, scalar_product
from rootflow.physics.kinematics import FloatArray, not_space_like
from rootflow.physics.neutrino_ellipses import solve_event
from rootflow.physics.throws import Measured, Resolution, State, breit_wigner, throw
from rootflow.physics.ttbar import Solutions


def smeared_ellipses(
    b_jets: ArrayLike,
    leptons: ArrayLike,
    met: ArrayLike,
    masses: tuple[float, float, float],
    resolution: Resolution,
    throws: int,
    seeds: NDArray[np.uint64],
) -> Solutions:
    """Return the weighted mean over throws of both neutrinos' momenta.

    It is liked by the sum of the weights, GeV^-2; without any there is no solution. The masses
    are of top quark and W boson, and the W boson's width, GeV; all else is as of
    `neutrino_weighting`.
    """
    b_jets, leptons = not_space_like(b_jets), not_space_like(leptons)
    met = np.asarray(met, np.float64)
    neutrinos, weights = _solve_all(b_jets, leptons, met, masses, resolution, throws, seeds)
    neutrinos[weights == 0] = np.nan
    return Solutions(neutrinos, weights)


@compiled
def _solve_all(
    b_jets: FloatArray,
    leptons: FloatArray,
    met: FloatArray,
    masses: tuple[float, float, float],
    resolution: Resolution,
    throws: int,
    seeds: NDArray[np.uint64],
) -> tuple[FloatArray, FloatArray]:
    neutrinos, weights = np.zeros((len(met), 2, 3)), np.zeros(len(met))
    state = np.empty(1, np.uint64)
    for event in range(len(met)):
        state[0] = seeds[event]
        measured = (b_jets[event], leptons[event], met[event])
        weights[event] = _average(measured, masses, resolution, throws, state, neutrinos[event])
    return neutrinos, weights


@compiled
def _average(
    measured: Measured,
    masses: tuple[float, float, float],
    resolution: Resolution,
    throws: int,
    state: State,
    mean: FloatArray,
) -> float:
    """Write the weighted mean (2, 3) of one event's throws, and return the sum of weights."""
    top_mass, w_mass, w_width = masses
    thrown = (np.empty((2, 4)), np.empty((2, 4)), np.empty(2))
    b_jets, leptons, met = thrown
    solutions = np.empty((4, 2, 3))
    total = 0.0
    for _ in range(throws):
        throw(state, measured, resolution, thrown)
        w_masses = (breit_wigner(state, w_mass, w_width), breit_wigner(state, w_mass, w_width))
        weight = 1.0
        for which in range(2):
            product = 2 * scalar_product(b_jets[which], leptons[which])
            weight *= lepton_b_density(product, top_mass, w_masses[which])
        if weight == 0:
            continue
        count = solve_event(b_jets, leptons, met, top_mass, w_masses, solutions)
        if count:
            best = _smallest_mass(b_jets, leptons, solutions, count)
            mean += weight * solutions[best]
            total += weight
    if total > 0:
        mean /= total
    return total


@compiled
def _smallest_mass(
    b_jets: FloatArray, leptons: FloatArray, solutions: FloatArray, count: int
) -> int:
    """Return the solution with the smallest m(ttbar)."""
    best, smallest = 0, np.inf
    visible = b_jets[0] + b_jets[1] + leptons[0] + leptons[1]
    for number in range(count):
        energy, momentum2 = visible[3], 0.0
        for which in range(2):
            energy += np.sqrt(np.sum(solutions[number, which] ** 2))
        for axis in range(3):
            momentum = solutions[number, 0, axis] + solutions[number, 1, axis] + visible[axis]
            momentum2 += momentum**2
        mass2 = energy**2 - momentum2
        if mass2 < smallest:
            best, smallest = number, mass2
    return best


@compiled
def lepton_b_density(product: float, top_mass: float, w_mass: float) -> float:
    """Return the probability density of m(lb) per GeV, with b quark and lepton massless.

    The angle theta* between the lepton in the rest frame of the W boson and the W boson in
    that of the top quark has the density 3/4 sin^2 F0 + 3/8 (1 - cos)^2 FL (G. Kane,
    G. Ladinsky, C.-P. Yuan, Phys. Rev. D 45 (1992) 124), with the leading-order
    F0 / FL = m_t^2 / (2 m_W^2), and m(lb)^2 = (m_t^2 - m_W^2)(1 + cos theta*) / 2.
    `product` is 2 p_b p_l in GeV^2, the m(lb)^2 of massless particles.
    """
    edge2 = top_mass**2 - w_mass**2
    if not 0 <= product <= edge2:
        return 0.0
    cosine = 2 * product / edge2 - 1
    longitudinal = top_mass**2 / (top_mass**2 + 2 * w_mass**2)
    by_cosine = 0.75 * (1 - cosine**2) * longitudinal
    by_cosine += 0.375 * (1 - cosine) ** 2 * (1 - longitudinal)
    return by_cosine * 4 * math.sqrt(product) / edge2
