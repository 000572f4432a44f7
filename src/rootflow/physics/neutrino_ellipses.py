"""Both neutrinos of dileptonic ttbar: the intersections of two ellipses.

B. Betchart, R. Demina, A. Harel, Nucl. Instrum. Meth. A 736 (2014) 169, arXiv:1305.1878. The
masses of top quark and W boson leave the neutrino of one top quark an ellipse, section 2: with
the angle t, its momentum is H (cos t, sin t, 1). The transverse momenta of the two neutrinos
add up to the missing one: the ellipse of the antineutrino, reflected at it, crosses that of the
neutrino in up to four points, section 4.

The crossings are found in the frame in which the second ellipse is the unit circle: there the
points of the first one have the squared distance 1 from the origin, which is a quartic in the
tangent of half the angle.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from rootflow.physics.compiled import compiled
from rootflow.physics.kinematics import FloatArray, not_space_like

# a, b, c, d, e of a + b cos t + c sin t + d cos 2t + e sin 2t
Wave = tuple[float, float, float, float, float]

# Of these points of the circle, more than the wave has zeros, the one farthest from zero is
# where the tangent of half the angle is infinite.
POINTS = 6
# Newton's, and no farther than rounding can have put a zero.
POLISHING_STEPS = 2
LARGEST_STEP = 1e-2


def neutrino_ellipses(
    b_jets: ArrayLike, leptons: ArrayLike, met: ArrayLike, top_mass: float, w_mass: float
) -> FloatArray:
    """Return the momenta (n, 4, 2, 3) in GeV of neutrino and antineutrino, up to four solutions.

    The solutions of an event come first, in no particular order; the others are NaN.

    Parameters
    ----------
    b_jets, leptons
        (n, 2, 4) px, py, pz, energy in GeV of b and bbar, and of the positive and the
        negative lepton.
    met
        (n, 2) px, py of the sum of the neutrinos, GeV.
    top_mass, w_mass
        In GeV, of both decays.
    """
    b_jets, leptons = not_space_like(b_jets), not_space_like(leptons)
    return _solve_all(b_jets, leptons, np.asarray(met, np.float64), top_mass, w_mass)


@compiled
def _solve_all(
    b_jets: FloatArray, leptons: FloatArray, met: FloatArray, top_mass: float, w_mass: float
) -> FloatArray:
    solutions = np.full((len(met), 4, 2, 3), np.nan)
    for event in range(len(met)):
        solve_event(
            b_jets[event], leptons[event], met[event], top_mass, (w_mass, w_mass), solutions[event]
        )
    return solutions


@compiled
def solve_event(
    b_jets: FloatArray,
    leptons: FloatArray,
    met: FloatArray,
    top_mass: float,
    w_masses: tuple[float, float],
    solutions: FloatArray,
) -> int:
    """Write the solutions (4, 2, 3) of one event and return how many there are."""
    first, second = np.empty((3, 3)), np.empty((3, 3))
    if not (
        _ellipse(b_jets[0], leptons[0], top_mass, w_masses[0], first)
        and _ellipse(b_jets[1], leptons[1], top_mass, w_masses[1], second)
    ):
        return 0
    # The transverse part of the second ellipse is B (u, v) + its centre: the first one's points
    # are (u, v) = M (cos t, sin t) + d there.
    determinant = second[0, 0] * second[1, 1] - second[0, 1] * second[1, 0]
    if determinant == 0:
        return 0
    inverse = np.array(((second[1, 1], -second[0, 1]), (-second[1, 0], second[0, 0])))
    inverse /= determinant
    matrix, centre = np.empty((2, 2)), np.empty(2)
    away = (met[0] - first[0, 2] - second[0, 2], met[1] - first[1, 2] - second[1, 2])
    for row in range(2):
        centre[row] = inverse[row, 0] * away[0] + inverse[row, 1] * away[1]
        for column in range(2):
            matrix[row, column] = -(
                inverse[row, 0] * first[0, column] + inverse[row, 1] * first[1, column]
            )
    angles = np.empty(4)
    count = _zeros(_distance_from_circle(matrix, centre), angles)
    for number in range(count):
        cosine, sine = math.cos(angles[number]), math.sin(angles[number])
        u = matrix[0, 0] * cosine + matrix[0, 1] * sine + centre[0]
        v = matrix[1, 0] * cosine + matrix[1, 1] * sine + centre[1]
        for axis in range(3):
            solutions[number, 0, axis] = (
                first[axis, 0] * cosine + first[axis, 1] * sine + first[axis, 2]
            )
            solutions[number, 1, axis] = second[axis, 0] * u + second[axis, 1] * v + second[axis, 2]
    return count


@compiled
def _ellipse(
    b_jet: FloatArray, lepton: FloatArray, top_mass: float, w_mass: float, matrix: FloatArray
) -> bool:
    """Write H (3, 3), arXiv:1305.1878 section 2, of one decay; False where there is no ellipse.

    The frame's first axis is along the lepton, the second in the plane of lepton and jet.
    """
    p_lepton = math.sqrt(lepton[0] ** 2 + lepton[1] ** 2 + lepton[2] ** 2)
    p_b = math.sqrt(b_jet[0] ** 2 + b_jet[1] ** 2 + b_jet[2] ** 2)
    cosine = (b_jet[0] * lepton[0] + b_jet[1] * lepton[1] + b_jet[2] * lepton[2]) / (p_b * p_lepton)
    axes = np.empty((3, 3))
    for axis in range(3):
        axes[0, axis] = lepton[axis] / p_lepton
        axes[1, axis] = b_jet[axis] / p_b - cosine * axes[0, axis]
    sine = math.sqrt(axes[1, 0] ** 2 + axes[1, 1] ** 2 + axes[1, 2] ** 2)
    if not sine > 0:
        return False
    axes[1] /= sine
    for axis in range(3):
        next_axis, last_axis = (axis + 1) % 3, (axis + 2) % 3
        axes[2, axis] = (
            axes[0, next_axis] * axes[1, last_axis] - axes[0, last_axis] * axes[1, next_axis]
        )
    # Rounding makes massless particles faster than light.
    beta, beta_b = min(p_lepton / lepton[3], 1.0), min(p_b / b_jet[3], 1.0)
    lepton_mass2, b_mass2 = (1 - beta**2) * lepton[3] ** 2, (1 - beta_b**2) * b_jet[3] ** 2
    x0 = -(w_mass**2 - lepton_mass2) / (2 * lepton[3])
    x0_b = -(top_mass**2 - w_mass**2 - b_mass2) / (2 * b_jet[3])
    s_x = (x0 * beta - p_lepton * (1 - beta**2)) / beta**2
    s_y = (x0_b / beta_b - cosine * s_x) / sine
    omega = (beta / beta_b - cosine) / sine
    big_omega2 = omega**2 + 1 - beta**2
    x1 = s_x - (s_x + omega * s_y) / big_omega2
    y1 = s_y - (s_x + omega * s_y) * omega / big_omega2
    z2 = (
        x1**2 * big_omega2
        - (s_y - omega * s_x) ** 2
        - (w_mass**2 - x0**2 - w_mass**2 * (1 - beta**2))
    )
    if not z2 > 0:
        return False
    z, big_omega = math.sqrt(z2), math.sqrt(big_omega2)
    for axis in range(3):
        matrix[axis, 0] = (axes[0, axis] + omega * axes[1, axis]) * z / big_omega
        matrix[axis, 1] = axes[2, axis] * z
        matrix[axis, 2] = axes[0, axis] * (x1 - p_lepton) + axes[1, axis] * y1
    return True


@compiled
def _distance_from_circle(matrix: FloatArray, centre: FloatArray) -> Wave:
    """Return the Fourier coefficients of |M (cos t, sin t) + d|^2 - 1."""
    cos2 = matrix[0, 0] ** 2 + matrix[1, 0] ** 2
    sin2 = matrix[0, 1] ** 2 + matrix[1, 1] ** 2
    return (
        (cos2 + sin2) / 2 + centre[0] ** 2 + centre[1] ** 2 - 1,
        2 * (centre[0] * matrix[0, 0] + centre[1] * matrix[1, 0]),
        2 * (centre[0] * matrix[0, 1] + centre[1] * matrix[1, 1]),
        (cos2 - sin2) / 2,
        matrix[0, 0] * matrix[0, 1] + matrix[1, 0] * matrix[1, 1],
    )


@compiled
def _zeros(wave: Wave, angles: FloatArray) -> int:
    """Write where the wave is zero, and return at how many angles it is."""
    start, largest = 0.0, -1.0
    for point in range(POINTS):
        angle = 2 * math.pi * point / POINTS
        height = abs(_value(wave, angle))
        if height > largest:
            start, largest = angle - math.pi, height
    mean = wave[0]
    cos1, sin1 = _turned(wave[1], wave[2], start)
    cos2, sin2 = _turned(wave[3], wave[4], 2 * start)
    count = real_quartic_roots(
        mean - cos1 + cos2,
        2 * sin1 - 4 * sin2,
        2 * mean - 6 * cos2,
        2 * sin1 + 4 * sin2,
        mean + cos1 + cos2,
        angles,
    )
    for root in range(count):
        angle = start + 2 * math.atan(angles[root])
        for _ in range(POLISHING_STEPS):
            slope = _slope(wave, angle)
            step = _value(wave, angle) / slope if slope != 0 else 0.0
            angle -= step if abs(step) < LARGEST_STEP else 0.0
        angles[root] = angle
    return count


@compiled
def _turned(cosine: float, sine: float, angle: float) -> tuple[float, float]:
    c, s = math.cos(angle), math.sin(angle)
    return cosine * c + sine * s, sine * c - cosine * s


@compiled
def _value(wave: Wave, angle: float) -> float:
    c, s = math.cos(angle), math.sin(angle)
    return wave[0] + wave[1] * c + wave[2] * s + wave[3] * (c * c - s * s) + wave[4] * 2 * c * s


@compiled
def _slope(wave: Wave, angle: float) -> float:
    c, s = math.cos(angle), math.sin(angle)
    return -wave[1] * s + wave[2] * c - wave[3] * 4 * c * s + wave[4] * 2 * (c * c - s * s)


@compiled
def real_quartic_roots(
    c4: float, c3: float, c2: float, c1: float, c0: float, roots: FloatArray
) -> int:
    """Write the real roots of c4 x^4 + c3 x^3 + c2 x^2 + c1 x + c0 and return how many there are.

    Descartes' factorisation of the quartic without its cubic term into two quadratics with
    real coefficients (R. Descartes, La Geometrie, 1637, book III): the sign of the discriminant
    of each says whether its two roots are real. Roots are as precise as rounding lets them be,
    but for those that nearly coincide; polish them where it matters. c4 is not zero, roots is (4,).
    """
    b, c, d, e = c3 / c4, c2 / c4, c1 / c4, c0 / c4
    shift = b / 4
    p = c - 6 * shift**2
    q = d - 2 * c * shift + 8 * shift**3
    r = e - d * shift + c * shift**2 - 3 * shift**4
    square = _largest_cubic_root(2 * p, p * p - 4 * r, -q * q)
    half = math.sqrt(max(square, 0.0)) / 2
    count = 0
    if half > 0:
        for sign in (-1.0, 1.0):
            discriminant = -half * half - p / 2 + sign * q / (4 * half)
            if discriminant >= 0:
                width = math.sqrt(discriminant)
                roots[count] = -sign * half - width - shift
                roots[count + 1] = -sign * half + width - shift
                count += 2
        return count
    inner = p * p / 4 - r  # a quadratic in x^2
    if inner >= 0:
        for sign in (-1.0, 1.0):
            squared = -p / 2 + sign * math.sqrt(inner)
            if squared >= 0:
                roots[count] = -math.sqrt(squared) - shift
                roots[count + 1] = math.sqrt(squared) - shift
                count += 2
    return count


@compiled
def _largest_cubic_root(b: float, c: float, d: float) -> float:
    """Return the largest real root of x^3 + b x^2 + c x + d (Cardano and Viete)."""
    shift = b / 3
    third = shift * shift - c / 3
    half = shift**3 - shift * c / 2 + d / 2
    if half * half < third**3:
        cosine = min(max(-half / (third * math.sqrt(third)), -1.0), 1.0)
        root = 2 * math.sqrt(third) * math.cos(math.acos(cosine) / 3) - shift
    else:
        radical = (abs(half) + math.sqrt(max(half * half - third**3, 0.0))) ** (1 / 3)
        radical = -math.copysign(radical, half)
        root = radical + (third / radical if radical != 0 else 0.0) - shift
    for _ in range(2):
        slope = (3 * root + 2 * b) * root + c
        if slope != 0:
            root -= (((root + b) * root + c) * root + d) / slope
    return root
