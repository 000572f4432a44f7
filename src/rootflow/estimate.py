"""Values with their statistical errors, p-values, and how they read."""

import math
from decimal import ROUND_CEILING, Context, Decimal
from typing import NamedTuple, Self

# P-values beyond one by so many replicas: the tails of asymptotic distributions say nothing.
ASYMPTOTIC = 1_000_000
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


class PValue(float):
    """A p-value that is never below `times` / (1 + `replicas`), and reads "< 0.001" there.

    The number is as it is; its text is the same whatever format is asked for. `times` is by what
    the share of replicas was multiplied: 2 of a two-sided one, the number of tests of any of them.
    """

    def __new__(cls, value: float, replicas: int, times: int = 1) -> Self:
        """Return the number, which knows how it reads."""
        made = super().__new__(cls, value)
        made._text = f"{value:.2g}"
        if value * (1 + replicas) <= times * (1 + 1e-9) and times < replicas:
            above = Context(prec=2, rounding=ROUND_CEILING)
            made._text = f"< {float(above.divide(Decimal(times), Decimal(replicas))):.2g}"
        return made

    _text: str

    def __str__(self) -> str:
        return self._text

    def __format__(self, _: str) -> str:
        return self._text

    @property
    def equation(self) -> str:
        """Return "p = 0.03" or "p < 0.001"."""
        return f"p {self._text}" if self._text.startswith("<") else f"p = {self._text}"
