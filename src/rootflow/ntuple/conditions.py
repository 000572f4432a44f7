"""What objects and events of an ntuple must fulfil to count, over its branches."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, model_validator

from rootflow.config.block import Block
from rootflow.errors import UsageError
from rootflow.ntuple.expressions import Expression, Quantity, names_in, parse
from rootflow.ntuple.units import BranchColumn, NumberColumn, unit_of

WHERE = "where"
SLOT = "{slot}"
# Stands for the slot where the text is looked at before there are slots.
ANY_SLOT = "_slot_"
# What messages call whatever the objects of a block are.
OBJECTS = "objects"


class Condition(Block):
    """An expression that is true of what counts; its names are branches.

    Those to which a block gives a unit are in GeV or rad, all others as they are in the file.
    """

    expression: str

    @model_validator(mode="after")
    def _is_an_expression(self) -> Self:
        try:
            self.columns()
        except UsageError as error:
            raise ValueError(str(error)) from None
        return self

    def columns(self, named: Iterable[BranchColumn] = ()) -> dict[str, BranchColumn]:
        """Return the columns of its branches, those that are `named` with their units."""
        known = {column.branch: column for column in named if column.unit != "none"}
        branches = _names_in(self.expression.replace(SLOT, ANY_SLOT))
        names = [branch.replace(ANY_SLOT, SLOT) for branch in branches]
        return {name: known.get(name) or NumberColumn(branch=name) for name in names}

    def of_objects(self, named: Iterable[BranchColumn]) -> Expression:
        """Return it parsed, as that of each object; a ValueError says what is wrong with it."""
        parsed = self._parsed(self.columns(named), OBJECTS)
        if parsed.collection is None:
            raise ValueError(f"{WHERE}: says something of the event, not of each object")
        return parsed

    def of_event(self) -> Expression:
        """Return it parsed, as that of the event; a ValueError says what is wrong with it."""
        return self._parsed(self.columns(), None)

    def _parsed(self, columns: Mapping[str, BranchColumn], collection: str | None) -> Expression:
        names = {
            name.replace(SLOT, ANY_SLOT): Quantity(unit_of(column), collection)
            for name, column in columns.items()
        }
        text = self.expression.replace(SLOT, ANY_SLOT)
        try:
            return _parsed(text, tuple(names.items()))
        except UsageError as error:
            raise ValueError(str(error)) from None


# Each chunk of events asks again.
@cache
def _names_in(text: str) -> tuple[str, ...]:
    return tuple(names_in(text, WHERE))


@cache
def _parsed(text: str, names: tuple[tuple[str, Quantity], ...]) -> Expression:
    return parse(text, dict(names), WHERE, must_be_condition=True)


def _from_text(value: Any) -> Any:
    return {"expression": value} if isinstance(value, str) else value


Where = Annotated[Condition, BeforeValidator(_from_text)]


def all_columns(value: Any) -> Iterator[BranchColumn]:
    """Yield every column that a part of a map names."""
    if isinstance(value, BranchColumn):
        yield value
    elif isinstance(value, Condition):
        yield from value.columns().values()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from all_columns(getattr(value, name))
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from all_columns(part)
