"""Functions of numbers and arrays, compiled by numba for loops over events."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

from rootflow.physics.kinematics import FloatArray

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function compiled; division by zero gives inf or NaN as in NumPy.

    What is compiled is kept on disk beside the module, or in the user's cache, and found again
    until the module itself changes: numba does not look at the functions of other modules that
    it calls. Where neither place can be written, each process compiles anew.
    """
    try:
        kept: Callable[P, R] = numba.njit(cache=True, error_model="numpy")(function)
    except RuntimeError:
        kept = numba.njit(error_model="numpy")(function)
    return kept


@compiled
def scalar_product(one: FloatArray, two: FloatArray) -> float:
    """Return the product of two four-momenta (4,)."""
    return float(one[3] * two[3] - one[0] * two[0] - one[1] * two[1] - one[2] * two[2])
