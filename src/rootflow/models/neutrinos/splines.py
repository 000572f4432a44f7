"""Monotonic rational-quadratic splines, written with keras.ops.

C. Durkan, A. Bekasov, I. Murray, G. Papamakarios, Neural Spline Flows, arXiv:1906.04032.
"""

import math
from typing import NamedTuple

from keras import ops

from rootflow.models.kinematics import Tensor

# Within -BOUND and BOUND a spline bends; beyond, it leaves its argument as it is.
BOUND = 5.0
SMALLEST_WIDTH = 1e-3
SMALLEST_SLOPE = 1e-3
# Where the network says zero, every slope is one and the spline leaves all as it is.
SLOPE_OF_ZERO = math.log(math.expm1(1.0 - SMALLEST_SLOPE))


class Bin(NamedTuple):
    """Corners, sides and slopes of the bin in which each value is."""

    left: Tensor
    width: Tensor
    bottom: Tensor
    height: Tensor
    slope: Tensor
    next_slope: Tensor


def number_of_parameters(bins: int) -> int:
    """Return how many numbers decide a spline: widths, heights, and slopes between bins."""
    return 3 * bins - 1


def spline(values: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Return the splines of values, and the logarithms of their derivatives.

    They are equations 4 and 5 of arXiv:1906.04032 within the bound, the identity beyond. The
    parameters (..., 3 bins - 1) are any numbers.
    """
    inside, clipped = _inside(values)
    at = _bin_of(clipped, parameters, by_height=False)
    share = (clipped - at.left) / at.width
    result = at.bottom + at.height * _rise(at, share)
    return ops.where(inside, result, values), ops.where(inside, _log_slope(at, share), 0.0)


def inverse_spline(values: Tensor, parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Return what `spline` gives the values of, and minus the logarithms of its derivatives.

    The root of equations 6 to 8 of arXiv:1906.04032.
    """
    inside, clipped = _inside(values)
    at = _bin_of(clipped, parameters, by_height=True)
    chord = at.height / at.width
    bend = at.slope + at.next_slope - 2.0 * chord
    above = clipped - at.bottom
    a = at.height * (chord - at.slope) + above * bend
    b = at.height * at.slope - above * bend
    c = -chord * above
    root = ops.sqrt(ops.maximum(ops.square(b) - 4.0 * a * c, 0.0))
    share = ops.clip(2.0 * c / (-b - root), 0.0, 1.0)
    result = at.left + share * at.width
    return ops.where(inside, result, values), ops.where(inside, -_log_slope(at, share), 0.0)


def _inside(values: Tensor) -> tuple[Tensor, Tensor]:
    return ops.less(ops.abs(values), BOUND), ops.clip(values, -BOUND, BOUND)


def _bin_of(values: Tensor, parameters: Tensor, by_height: bool) -> Bin:
    bins = (parameters.shape[-1] + 1) // 3
    widths, lefts = _sides(parameters[..., :bins])
    heights, bottoms = _sides(parameters[..., bins : 2 * bins])
    between = SMALLEST_SLOPE + ops.softplus(parameters[..., 2 * bins :] + SLOPE_OF_ZERO)
    end = ops.ones_like(between[..., :1])
    edges = bottoms if by_height else lefts
    passed = ops.cast(values[..., None] >= edges[..., 1:], values.dtype)
    # 1 for the last bin whose lower edge is not above the value.
    here = ops.concatenate([end, passed], -1) - ops.concatenate([passed, 0.0 * end], -1)
    columns = (
        lefts,
        widths,
        bottoms,
        heights,
        ops.concatenate([end, between], -1),
        ops.concatenate([between, end], -1),
    )
    return Bin(*(ops.sum(here * column, axis=-1) for column in columns))


def _sides(parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Return sides that add up to the whole, and the lower edge of each."""
    bins = parameters.shape[-1]
    share = SMALLEST_WIDTH + (1.0 - SMALLEST_WIDTH * bins) * ops.softmax(parameters, axis=-1)
    sides = 2.0 * BOUND * share
    return sides, ops.cumsum(sides, axis=-1) - sides - BOUND


def _rise(at: Bin, share: Tensor) -> Tensor:
    chord, rest = at.height / at.width, share * (1.0 - share)
    above = chord * ops.square(share) + at.slope * rest
    return above / (chord + (at.slope + at.next_slope - 2.0 * chord) * rest)


def _log_slope(at: Bin, share: Tensor) -> Tensor:
    chord, rest = at.height / at.width, share * (1.0 - share)
    above = (
        at.next_slope * ops.square(share) + 2.0 * chord * rest + at.slope * ops.square(1.0 - share)
    )
    below = chord + (at.slope + at.next_slope - 2.0 * chord) * rest
    return 2.0 * ops.log(chord) + ops.log(above) - 2.0 * ops.log(below)
