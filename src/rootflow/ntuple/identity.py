"""Who an event is: its number, and what tells it from others of that number."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.ntuple.branch_map import BranchMap
from rootflow.ntuple.units import BranchColumn

# Stands where a file lacks a branch that others of the dataset have.
LACKING = -1

Integers = NDArray[np.int64] | NDArray[np.uint64]


class Identity(NamedTuple):
    """Who n events of one file are.

    `number` (n,) is int64 or uint64, as the branch is signed or not; `beside` (n,) by branch the
    rest of the identity, as far as the file has it; `fold_number` (n,) decides the fold, the number
    where it is None. `of_row` says that the number is that of the row, since the file has none.
    """

    number: Integers
    beside: Mapping[str, Integers]
    fold_number: Integers | None = None
    of_row: bool = False

    def in_words(self, event: int) -> str:
        """Return who one event is, for messages."""
        beside = {name: values[event] for name, values in self.beside.items()}
        return in_words(int(self.number[event]), beside)

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> "Identity":
        """Return who the events at `index` are."""
        beside = {name: values[index] for name, values in self.beside.items()}
        fold_number = None if self.fold_number is None else self.fold_number[index]
        return Identity(self.number[index], beside, fold_number, self.of_row)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what there is, by the names of `Events`."""
        found: dict[str, NDArray[Any]] = {"event_number": self.number}
        if self.beside:
            found["identity"] = structured(self.beside)
        if self.fold_number is not None:
            found["fold_number"] = self.fold_number.astype(np.uint64)
        return found


def structured(columns: Mapping[str, NDArray[Any]]) -> NDArray[np.void]:
    """Return columns as an array with a field of int64 for each."""
    count = len(next(iter(columns.values())))
    table = np.empty(count, [(name, np.int64) for name in columns])
    for name, values in columns.items():
        table[name] = values
    return table


def in_words(number: int, beside: Mapping[str, Any]) -> str:
    """Return an event's number and the rest of its identity, as messages name it."""
    rest = ", ".join(f"{name} {value}" for name, value in beside.items() if value != LACKING)
    return f"event {number} ({rest})" if rest else f"event {number}"


def read_identity(
    path: Path, arrays: Mapping[str, Any], branch_map: BranchMap, first_entry: int
) -> Identity:
    """Return who the events of a chunk are, by the numbers of their rows where the map has none."""
    number: Integers
    if branch_map.event_number is None:
        count = len(next(iter(arrays.values())))
        number = np.arange(first_entry, first_entry + count, dtype=np.uint64)
    else:
        number = _integers_of(path, arrays, branch_map.event_number)
    names = set(branch_map.beside_number())
    columns = [column for column in branch_map.identity if column.branch in names]
    beside = {column.branch: _integers_of(path, arrays, column) for column in columns}
    for name, values in beside.items():
        if values.dtype == np.uint64 and (values > np.iinfo(np.int64).max).any():
            raise InputError(
                f"{path}: branch '{name}' is 2^63 or more: as part of the identity it must be less"
            )
    decides = branch_map.fold_number
    fold_number = None if decides is None else _integers_of(path, arrays, decides)
    return Identity(number, beside, fold_number, of_row=branch_map.event_number is None)


def _integers_of(path: Path, arrays: Mapping[str, Any], column: BranchColumn) -> Integers:
    """Return (n,) integers of a branch, signed where the branch is."""
    values = np.asarray(arrays[column.branch])
    if values.dtype.kind not in "iu" or values.ndim != 1:
        raise InputError(
            f"{path}: branch '{column.branch}' does not hold one integer for each event, as a "
            f"number that identifies events is"
        )
    if values.dtype.kind == "i":
        return values.astype(np.int64)
    return values.astype(np.uint64)
