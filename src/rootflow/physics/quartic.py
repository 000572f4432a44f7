"""Real roots of quartic polynomials, for compiled code."""

import math

from rootflow.physics.compiled import compiled
from rootflow.physics.kinematics import FloatArray


@compiled
def real_quartic_roots(
    c4: float, c3: float, c2: float, c1: float, c0: float, roots: FloatArray
) -> int:
    """Write the real roots of c4 x^4 + c3 x^3 + c2 x^2 + c1 x + c0 and return how many there are.

    Descartes' factorisation of the quartic without its cubic term into two quadratics with
    real coefficients (R. Descartes, La Geometrie, 1637, book III): the sign of the discriminant
    of each says whether its two roots are real. Roots are as precise as rounding lets them be,
    but for those that nearly coincide; polish them where it matters.

    Parameters
    ----------
    c4
        Not zero.
    roots
        (4,), where they go.
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
