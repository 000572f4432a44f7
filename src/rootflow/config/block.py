"""What every block of the configuration has in common."""

import math
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator

# What may stand in the name of a file, of a metric and of a registered model.
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]+$")]
LARGEST_INTEGER = 2**63 - 1


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
