"""Functions of numbers and arrays, compiled by numba for loops over events."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numba

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
