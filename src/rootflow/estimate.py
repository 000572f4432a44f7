"""A value with its statistical error, and how both read."""

import math
from typing import NamedTuple

ABSENT = "–"  # noqa: RUF001


class Estimate(NamedTuple):
    """A value and its statistical error."""

    value: float
    error: float


def with_error(estimate: Estimate | None) -> str:
    """Return value and error, both to the error's second digit, or a dash for none."""
    if estimate is None:
        return ABSENT
    value, error = estimate
    if error == 0:
        return f"{value:.4g}"
    decimals = max(0, 1 - math.floor(math.log10(abs(error))))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}"
