"""Columns: a branch, and the unit of what is in it."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from rootflow.config.block import Block


class Column(Block):
    """A branch, or one place of a branch that holds an array of fixed length."""

    branch: str
    unit: Literal["MeV", "GeV", "rad", "none"] = "none"
    index: int | None = Field(None, ge=0, description="place in an array of fixed length")


class EnergyColumn(Column):
    """A branch of energies, momenta or masses: its unit must be said."""

    unit: Literal["MeV", "GeV"]


class AngleColumn(Column):
    """A branch of angles."""

    unit: Literal["rad"] = "rad"


class NumberColumn(Column):
    """A branch of plain numbers."""

    unit: Literal["none"] = "none"


def _from_name(value: Any) -> Any:
    return {"branch": value} if isinstance(value, str) else value


# Where the unit is plain, the name of the branch is enough.
Energy = Annotated[EnergyColumn, BeforeValidator(_from_name)]
Angle = Annotated[AngleColumn, BeforeValidator(_from_name)]
Number = Annotated[NumberColumn, BeforeValidator(_from_name)]
# Where it may be anything, the name alone is that of a plain number.
Anything = Annotated[Column, BeforeValidator(_from_name)]
