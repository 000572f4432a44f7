"""Both neutrinos of dileptonic ttbar: the pseudorapidities that explain the MET best.

D0 Collaboration, Phys. Rev. Lett. 80 (1998) 2063, arXiv:hep-ex/9706014, as ATLAS uses it, with
fixed masses: for each pair of assumed pseudorapidities of neutrino and antineutrino, the masses
of top quark and W boson leave up to two momenta of each; each of the four combinations weighs

    exp(-(dEx^2 + dEy^2) / (2 sigma^2)),

dE being the measured MET less the sum of the two; the one of the largest weight is taken.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rootflow.physics.compiled import compiled, scalar_product
from rootflow.physics.kinematics import FloatArray, not_space_like
from rootflow.physics.throws import Measured, Resolution, throw
from rootflow.physics.ttbar import Solutions


def neutrino_weighting(
    b_jets: ArrayLike,
    leptons: ArrayLike,
    met: ArrayLike,
    masses: tuple[float, float],
    etas: FloatArray,
    met_resolution: float,
    resolution: Resolution,
    throws: int,
    seeds: NDArray[np.uint64],
) -> Solutions:
    """Return the solution of the largest weight among all pseudorapidities and throws.

    It is liked by the natural logarithm of its weight, -inf where there is none.

    Parameters
    ----------
    b_jets, leptons, met
        As of `neutrino_ellipses`.
    masses
        Those of top quark and W boson, GeV.
    etas
        Pseudorapidities that are tried.
    met_resolution
        sigma of px and of py, GeV.
    resolution, throws
        What is also tried: so many throws of what could have been measured.
    seeds
        (n,) of each event: the same seed gives the same throws.
    """
    b_jets, leptons = not_space_like(b_jets), not_space_like(leptons)
    met = np.asarray(met, np.float64)
    neutrinos, distances = _solve_all(b_jets, leptons, met, masses, etas, resolution, throws, seeds)
    return Solutions(neutrinos, -distances / (2 * met_resolution**2))


@compiled
def _solve_all(
    b_jets: FloatArray,
    leptons: FloatArray,
    met: FloatArray,
    masses: tuple[float, float],
    etas: FloatArray,
    resolution: Resolution,
    throws: int,
    seeds: NDArray[np.uint64],
) -> tuple[FloatArray, FloatArray]:
    neutrinos, distances = np.full((len(met), 2, 3), np.nan), np.full(len(met), np.inf)
    found = (np.empty((2 * len(etas), 3)), np.empty((2 * len(etas), 3)))
    thrown = (np.empty((2, 4)), np.empty((2, 4)), np.empty(2))
    state = np.empty(1, np.uint64)
    for event in range(len(met)):
        measured = (b_jets[event], leptons[event], met[event])
        distances[event] = _closest(measured, masses, etas, found, np.inf, neutrinos[event])
        state[0] = seeds[event]
        for _ in range(throws):
            throw(state, measured, resolution, thrown)
            distances[event] = _closest(
                thrown, masses, etas, found, distances[event], neutrinos[event]
            )
    return neutrinos, distances


@compiled
def _closest(
    measured: Measured,
    masses: tuple[float, float],
    etas: FloatArray,
    found: tuple[FloatArray, FloatArray],
    distance: float,
    neutrinos: FloatArray,
) -> float:
    """Write the combination closest to the MET if it is closer than `distance`; return that."""
    b_jets, leptons, met = measured
    first, second = found
    n_first = _momenta(b_jets[0], leptons[0], masses, etas, first)
    n_second = _momenta(b_jets[1], leptons[1], masses, etas, second)
    best_first, best_second = -1, -1
    for one in range(n_first):
        x, y = met[0] - first[one, 0], met[1] - first[one, 1]
        for other in range(n_second):
            squared = (x - second[other, 0]) ** 2 + (y - second[other, 1]) ** 2
            if squared < distance:
                distance, best_first, best_second = squared, one, other
    if best_first >= 0:
        neutrinos[0] = first[best_first]
        neutrinos[1] = second[best_second]
    return distance


@compiled
def _momenta(
    b_jet: FloatArray,
    lepton: FloatArray,
    masses: tuple[float, float],
    etas: FloatArray,
    found: FloatArray,
) -> int:
    """Write the momenta that both masses leave for each pseudorapidity; return how many.

    Both constraints, p_l p = (m_W^2 - m_l^2)/2 and
    p_b p = (m_t^2 - m_W^2 - m_b^2)/2 - p_b p_l, are linear in px, py and pT, where
    E = pT cosh(eta) and pz = pT sinh(eta); pT^2 = px^2 + py^2 is left.
    """
    top_mass, w_mass = masses
    from_w = (w_mass**2 - scalar_product(lepton, lepton)) / 2
    from_top = (top_mass**2 - w_mass**2 - scalar_product(b_jet, b_jet)) / 2 - scalar_product(
        b_jet, lepton
    )
    determinant = lepton[0] * b_jet[1] - lepton[1] * b_jet[0]
    if determinant == 0:
        return 0
    count = 0
    for eta in etas:
        cosh, sinh = math.cosh(eta), math.sinh(eta)
        of_lepton, of_b = lepton[3] * cosh - lepton[2] * sinh, b_jet[3] * cosh - b_jet[2] * sinh
        # px = x0 + x1 pT, py = y0 + y1 pT
        x0 = (lepton[1] * from_top - b_jet[1] * from_w) / determinant
        x1 = (b_jet[1] * of_lepton - lepton[1] * of_b) / determinant
        y0 = (b_jet[0] * from_w - lepton[0] * from_top) / determinant
        y1 = (lepton[0] * of_b - b_jet[0] * of_lepton) / determinant
        a, half_b, c = x1**2 + y1**2 - 1, x0 * x1 + y0 * y1, x0**2 + y0**2
        discriminant = half_b**2 - a * c
        if a == 0 or discriminant < 0:
            continue
        for sign in (-1.0, 1.0):
            pt = (-half_b + sign * math.sqrt(discriminant)) / a
            if pt > 0:
                found[count, 0], found[count, 1] = x0 + x1 * pt, y0 + y1 * pt
                found[count, 2] = pt * sinh
                count += 1
    return count
