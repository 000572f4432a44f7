"""Neutrinos as another reconstruction left them in the ntuple, in the units of rootflow."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.branch_map import Momentum, ReconstructedNeutrinos
from rootflow.ntuple.columns import Table
from rootflow.ntuple.truth import momenta
from rootflow.ntuple.units import Column


def read_neutrinos(
    table: Table, neutrinos: ReconstructedNeutrinos | None
) -> NDArray[np.float32] | None:
    """Return (n, 2, 3) px, py, pz in GeV of neutrino and antineutrino; None where no map is.

    NaN, or an empty list, says that an event has none: both are NaN then.

    Raises
    ------
    InputError
        A branch does not hold what the map says, or momenta cannot be in its unit.
    """
    if neutrinos is None:
        return None
    both = [_momenta(table, one) for one in (neutrinos.neutrino, neutrinos.antineutrino)]
    array = np.stack(both, axis=1)
    array[np.any(np.isnan(array), axis=(1, 2))] = np.nan
    return array


def _momenta(table: Table, momentum: Momentum) -> NDArray[np.float32]:
    columns = momentum.coordinates()
    raw = {name: _values(table, column) for name, column in columns.items()}
    event = np.flatnonzero(~np.any(np.isnan(list(raw.values())), axis=0))
    found = np.full((len(table.event_number), 3), np.nan, dtype=np.float32)
    there = {name: values[event] for name, values in raw.items()}
    found[event] = momenta(table, columns, there, event, ("px", "py", "pz"))
    return found


def _values(table: Table, column: Column) -> NDArray[Any]:
    """Return (n,) values as they are in the file, NaN where there is an empty list."""
    if column.index is None:
        return table.scalar_or_nan(column).astype(np.float64)
    lists = table.lists(column)
    lengths = np.diff(lists.offsets)
    too_short = (lengths > 0) & (lengths <= column.index)
    if too_short.any():
        raise table.wrong(column, f"has no place {column.index}", int(np.argmax(too_short)))
    values = np.full(len(lengths), np.nan)
    there = lengths > 0
    values[there] = lists.values[lists.offsets[:-1][there] + column.index]
    return values
