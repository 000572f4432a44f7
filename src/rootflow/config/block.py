"""What every block of the configuration has in common, and the names of questions."""

import hashlib
import json
import math
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, field_validator

# What may stand in the name of a file, of a metric and of a registered model.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]
LARGEST_INTEGER = 2**63 - 1


def interval(what: str) -> AfterValidator:
    """Return what refuses a pair of numbers that is not [lowest, highest]."""

    def rising(limits: tuple[float, float]) -> tuple[float, float]:
        if limits[0] >= limits[1]:
            raise ValueError(f"a {what} is [lowest, highest], this one is {list(limits)}")
        return limits

    return AfterValidator(rising)


def _rising(edges: list[float]) -> list[float]:
    if len(edges) < 2 or any(low >= high for low, high in pairwise(edges)):
        raise ValueError("bin edges are two or more numbers, each larger than the one before")
    return edges


Range = Annotated[tuple[float, float], interval("range")]
BinEdges = Annotated[list[float], AfterValidator(_rising)]


class Block(BaseModel):
    """A frozen block of settings that knows its keys: an unknown one is an error.

    Its numbers are finite, and its integers have 64 bits.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )

    @field_validator("*")
    @classmethod
    def _is_made_of_numbers(cls, value: Any) -> Any:
        _require_numbers(value, not cls.model_config["allow_inf_nan"])
        return value


def _require_numbers(value: Any, finite: bool) -> None:
    """Refuse what pydantic takes: huge integers, and anything where the type is Any."""
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise ValueError("Input should be an integer of at most 64 bits")
    if finite and isinstance(value, float) and not math.isfinite(value):
        raise ValueError("Input should be a finite number")
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for part in value:
        _require_numbers(part, finite)


def digest_of(question: Any) -> str:
    """Return 16 hexadecimal digits that name a question: plain data that decide its answer."""
    text = json.dumps(question, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
