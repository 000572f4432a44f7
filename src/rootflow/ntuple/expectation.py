"""What a file says of the sample that it is from."""

from typing import NamedTuple

import numpy as np

from rootflow.ntuple.columns import Table
from rootflow.ntuple.units import Column


class Expectation(NamedTuple):
    """Cross section in pb and sum of weights before any cut, None where they were not read."""

    cross_section_pb: float | None = None
    sum_of_weights: float | None = None


def read_expectation(
    table: Table,
    before: Expectation,
    cross_section_pb: Column | None,
    sum_of_weights: Column | None,
) -> Expectation:
    """Return what the events of a chunk say of their sample, as those before must say it."""
    return Expectation(
        _constant(table, before.cross_section_pb, cross_section_pb),
        _constant(table, before.sum_of_weights, sum_of_weights),
    )


def _constant(table: Table, before: float | None, column: Column | None) -> float | None:
    if column is None or not len(table.event_number):
        return before
    values = table.scalar(column).astype(np.float64)
    first = float(values[0]) if before is None else before
    if not 0 < first < np.inf:
        raise table.wrong(
            column,
            f"is {first:g}: weights cannot be scaled by it; the configuration of the sample can "
            f"give another value",
            0,
        )
    differs = values != first
    if differs.any():
        where = int(np.argmax(differs))
        raise table.wrong(
            column,
            f"is {values[where]:g} but {first:g} in events before: it must be the same in all "
            f"events of a file",
            where,
        )
    return first
