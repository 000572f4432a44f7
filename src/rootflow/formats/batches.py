"""Tables whose entries come in Arrow's batches, one after the other."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from rootflow.formats.faults import require_branches
from rootflow.formats.table import Table


class BatchedTable(Table):
    """A table that gives its entries in batches, from certain places on.

    Ranges that rise are read in one go, others from such a place before them.
    """

    def __init__(self) -> None:
        self._columns: tuple[str, ...] = ()
        self._batches: Iterator[pa.RecordBatch] = iter(())
        self._held = pa.table({})
        self._first = 0

    @abstractmethod
    def _place(self, start: int) -> int:
        """Return the last place up to start from which batches can be given."""

    @abstractmethod
    def _batches_from(self, names: Sequence[str], place: int) -> Iterator[pa.RecordBatch]:
        """Yield these columns from there on, some entries at a time."""

    @abstractmethod
    def _none_of(self, names: Sequence[str]) -> pa.Table:
        """Return these columns without entries."""

    @abstractmethod
    def _arrays(self, columns: pa.Table, names: Sequence[str], first: int) -> dict[str, Any]:
        """Return columns, of the entries from the first on, as `read` gives them."""

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Any]:
        """Return these branches of the entries from start to before stop, as awkward arrays."""
        require_branches(self.path, names, self.names(), self.called)
        place, reached = self._place(start), self._first + len(self._held)
        if self._columns != tuple(names) or start < self._first or place > reached:
            self._columns, self._first = tuple(names), place
            self._batches, self._held = self._batches_from(names, place), self._none_of(names)
        while (reached := self._first + len(self._held)) < stop:
            batch = next(self._batches, None)
            if batch is None:
                break
            before = min(max(start - self._first, 0), len(self._held))
            held = self._held.slice(before).to_batches()
            self._held = pa.Table.from_batches([*held, batch], self._held.schema)
            self._first += before
        found = self._held.slice(start - self._first, stop - start)
        self._held, self._first = self._held.slice(stop - self._first), min(stop, reached)
        return self._arrays(found, names, start)
