"""Values of branches in the units of rootflow, checked."""

from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.ntuple.branch_map import Column

Values = NDArray[np.float32]

# Twice the beam energy of the LHC and more: no energy in an event can be larger.
LARGEST_ENERGY_GEV = 14_000.0
# Nothing that is reconstructed as a jet or a lepton is this soft.
SMALLEST_LEADING_PT_GEV = 1.0


class Table(NamedTuple):
    """Some events of one file as read, and what messages about them need.

    Attributes
    ----------
    path
        The file.
    arrays
        An awkward record array with one field for each branch.
    event_number
        (n,) uint64.
    """

    path: Path
    arrays: Any
    event_number: NDArray[np.uint64]

    def scalar(self, column: Column) -> NDArray[Any]:
        """Return (n,) values as they are in the file.

        Raises
        ------
        InputError
            The branch does not hold one number for each event.
        """
        array = self.arrays[column.branch]
        wanted = "one number for each event"
        if column.index is not None:
            wanted = f"at least {column.index + 1} numbers for each event"
            if array.ndim != 2 or (len(array) and ak.min(ak.num(array)) <= column.index):
                raise self.wrong(column, f"does not hold {wanted}, as its index in the map says")
            array = array[:, column.index]
        if array.ndim != 1:
            raise self.wrong(column, f"does not hold {wanted}")
        return np.asarray(array)

    def jagged(self, column: Column, counts: NDArray[np.int64] | None) -> NDArray[Any]:
        """Return the values of all objects, event after event, as they are in the file.

        Raises
        ------
        InputError
            The branch does not hold a list for each event, or not of these lengths.
        """
        array = self.arrays[column.branch]
        if array.ndim != 2:
            raise self.wrong(column, "does not hold a list for each event")
        if counts is not None:
            differs = np.asarray(ak.num(array)) != counts
            if differs.any():
                where = int(np.argmax(differs))
                raise self.wrong(column, "has not as many entries as the collection's pt", where)
        return np.asarray(ak.flatten(array))

    def counts(self, column: Column) -> NDArray[np.int64]:
        """Return how many objects each event has."""
        array = self.arrays[column.branch]
        if array.ndim != 2:
            raise self.wrong(column, "does not hold a list for each event")
        return np.asarray(ak.num(array), dtype=np.int64)

    def converted(
        self, column: Column, raw: NDArray[Any], event: NDArray[np.int64] | None = None
    ) -> Values:
        """Return float32 values in GeV, rad or plain numbers.

        Parameters
        ----------
        raw
            As they are in the file.
        event
            The event of each value, where there is not one for each event.

        Raises
        ------
        InputError
            A value is not finite, or an energy is beyond what a collider can give.
        """
        values: Values = raw.astype(np.float32)
        if column.unit == "MeV":
            values /= np.float32(1000)
        bad = ~np.isfinite(values)
        if bad.any():
            where = int(np.argmax(bad))
            raise self.wrong(column, f"is {raw[where]}", where if event is None else event[where])
        if column.unit in ("MeV", "GeV") and len(values):
            where = int(np.argmax(np.abs(values)))
            if abs(values[where]) > LARGEST_ENERGY_GEV:
                raise self.wrong(
                    column,
                    f"is {values[where]:,.0f} GeV when read as {column.unit}, more than any "
                    f"collision gives: is its unit in the branch map right?",
                    where if event is None else event[where],
                )
        return values

    def wrong(self, column: Column, what: str, event: Any = None) -> InputError:
        """Return the error that says what is wrong with a branch, and where."""
        where = "" if event is None else f", event {self.event_number[int(event)]}"
        return InputError(f"{self.path}{where}: branch '{column.branch}' {what}")
