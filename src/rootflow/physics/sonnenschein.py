"""Both neutrinos of dileptonic ttbar: the roots of one quartic polynomial.

L. Sonnenschein, Phys. Rev. D 73 (2006) 054015, arXiv:hep-ph/0603011. For each decay, the two
mass constraints give an equation that is linear in the neutrino's momentum; with it, that of
the W boson is a conic in px and py. The antineutrino's conic is brought to the neutrino's px and
py by the missing transverse momentum; the resultant of the two with respect to py is a quartic
in px.
"""

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import ArrayLike

from rootflow.physics.kinematics import FloatArray, not_space_like

# Of a root, relative to its size in units of m_W: more is no rounding of a real root.
LARGEST_IMAGINARY_PART = 1e-6
POLISHING_STEPS = 3


def quartic_solutions(
    b_jets: ArrayLike, leptons: ArrayLike, met: ArrayLike, top_mass: float, w_mass: float
) -> FloatArray:
    """Return the momenta (n, 4, 2, 3) in GeV of neutrino and antineutrino, up to four solutions.

    What is no solution is NaN; solutions are in no particular order. It takes what
    `neutrino_ellipses` does.
    """
    # All momenta in units of m_W: products of many stay of the order of one.
    b_jets, leptons = (not_space_like(momenta) / w_mass for momenta in (b_jets, leptons))
    met = np.asarray(met, np.float64) / w_mass
    with np.errstate(all="ignore"):  # what degenerates is no solution
        pz, conic = _decay(b_jets[:, 0], leptons[:, 0], top_mass / w_mass)
        other_pz, other_conic = _decay(b_jets[:, 1], leptons[:, 1], top_mass / w_mass)
        reflection = _reflection(met)
        second = np.swapaxes(reflection, 1, 2) @ other_conic @ reflection
        px, py = _crossings(_normalised(conic), _normalised(second))
        point = np.stack([np.ones_like(px), px, py], axis=-1)
        reflected = np.einsum("nij,nsj->nsi", reflection, point)
        momenta = [_momentum(point, pz), _momentum(reflected, other_pz)]
        solutions = np.stack(momenta, axis=2)
    solutions[~np.all(np.isfinite(solutions), axis=(2, 3))] = np.nan
    return np.asarray(w_mass * solutions)


def _decay(b_jet: FloatArray, lepton: FloatArray, top_mass: float) -> tuple[FloatArray, FloatArray]:
    """Return pz as (n, 3) coefficients of 1, px, py, and the conic (n, 3, 3) in them.

    These are the two constraints on one neutrino, in units of m_W.
    """
    both = b_jet + lepton
    from_w = (1 - _square(lepton)) / 2  # E_l E_nu - p_l p_nu
    from_top = (top_mass**2 - _square(both)) / 2
    energy = lepton[:, 3]
    # Both say the neutrino's energy: 0 = a1 + a2 px + a3 py + a4 pz
    constant = both[:, 3] * from_w - energy * from_top
    a2, a3, a4 = (b_jet[:, 3:] * lepton[:, :3] - energy[:, np.newaxis] * b_jet[:, :3]).T
    pz = -np.stack([constant, a2, a3], axis=1) / a4[:, np.newaxis]
    energies = np.stack([from_w, lepton[:, 0], lepton[:, 1]], axis=1) + lepton[:, 2:3] * pz
    transverse = np.diag([0.0, 1.0, 1.0])
    momenta = transverse + pz[:, :, np.newaxis] * pz[:, np.newaxis, :]
    conic = (
        energies[:, :, np.newaxis] * energies[:, np.newaxis, :]
        - energy[:, np.newaxis, np.newaxis] ** 2 * momenta
    )
    return pz, conic


def _square(momentum: FloatArray) -> FloatArray:
    return np.asarray(momentum[:, 3] ** 2 - np.sum(momentum[:, :3] ** 2, axis=1))


def _reflection(met: FloatArray) -> FloatArray:
    """Return (n, 3, 3): from 1, px, py of the neutrino to those of the antineutrino."""
    matrix = np.tile(np.diag([1.0, -1.0, -1.0]), (len(met), 1, 1))
    matrix[:, 1:, 0] = met
    return matrix


def _normalised(conic: FloatArray) -> FloatArray:
    return np.asarray(conic / np.max(np.abs(conic), axis=(1, 2), keepdims=True))


def _crossings(first: FloatArray, second: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return px and py (n, 4) where both conics (n, 3, 3) are zero, NaN where they are not."""
    c0, c1, c2 = _in_py(first)
    d0, d1, d2 = _in_py(second)
    c0d2, c0d1, c1d2 = (
        _product(one, two) - _product(three, four)
        for one, two, three, four in ((c0, d2, c2, d0), (c0, d1, c1, d0), (c1, d2, c2, d1))
    )
    resultant = _product(c0d2, c0d2) - _product(c0d1, c1d2)
    px = _real_roots(resultant[:, :5])
    py = -_at(c0d2, px) / _at(c0d1, px)
    for _ in range(POLISHING_STEPS):
        px, py = _newton(first, second, px, py)
    return px, py


def _in_py(conic: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the coefficients of py^2, py and 1, each (n, 5) coefficients of powers of px."""
    coefficients = np.zeros((3, len(conic), 5))
    coefficients[0, :, 0] = conic[:, 2, 2]
    coefficients[1, :, 0], coefficients[1, :, 1] = 2 * conic[:, 0, 2], 2 * conic[:, 1, 2]
    coefficients[2, :, 0] = conic[:, 0, 0]
    coefficients[2, :, 1], coefficients[2, :, 2] = 2 * conic[:, 0, 1], conic[:, 1, 1]
    return coefficients[0], coefficients[1], coefficients[2]


def _product(one: FloatArray, two: FloatArray) -> FloatArray:
    """Return the product of polynomials, (n, 5) each, of together at most the fourth degree."""
    product = np.zeros_like(one)
    for power in range(5):
        product[:, power:] += one[:, power : power + 1] * two[:, : 5 - power]
    return product


def _at(polynomial: FloatArray, x: FloatArray) -> FloatArray:
    return np.asarray(polyval(x, polynomial.T[..., np.newaxis], tensor=False))


def _real_roots(polynomial: FloatArray) -> FloatArray:
    """Return the real roots (n, 4), NaN for the others: eigenvalues of the companion matrix."""
    monic = polynomial[:, :4] / polynomial[:, 4:]
    usable = np.all(np.isfinite(monic), axis=1)
    companion = np.tile(np.eye(4, k=-1), (len(monic), 1, 1))
    companion[:, :, 3] = -np.where(usable[:, np.newaxis], monic, 0.0)
    roots = np.linalg.eigvals(companion)
    is_real = np.abs(roots.imag) <= LARGEST_IMAGINARY_PART * (1 + np.abs(roots))
    return np.where(is_real & usable[:, np.newaxis], roots.real, np.nan)


def _newton(
    first: FloatArray, second: FloatArray, px: FloatArray, py: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return where both conics are zero, one step better."""
    point = np.stack([np.ones_like(px), px, py], axis=-1)
    (f, fx, fy), (g, gx, gy) = (_value_and_slopes(conic, point) for conic in (first, second))
    determinant = fx * gy - fy * gx
    step_x, step_y = (f * gy - g * fy) / determinant, (g * fx - f * gx) / determinant
    sane = np.isfinite(step_x) & np.isfinite(step_y)
    return np.where(sane, px - step_x, px), np.where(sane, py - step_y, py)


def _value_and_slopes(
    conic: FloatArray, point: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    half = np.einsum("nij,nsj->nsi", conic, point)
    return np.sum(point * half, axis=-1), 2 * half[..., 1], 2 * half[..., 2]


def _momentum(point: FloatArray, pz: FloatArray) -> FloatArray:
    return np.concatenate(
        [point[..., 1:], np.einsum("nsj,nj->ns", point, pz)[..., np.newaxis]], axis=-1
    )
