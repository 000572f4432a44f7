"""What a file of events is to all that reads it, whatever its format."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.formats.faults import require_branches
from rootflow.places import Place

Range = tuple[int, int]


class Share(NamedTuple):
    """One of so many shares of a file, `place` from 0, which are about equal."""

    place: int = 0
    of: int = 1


WHOLE = Share()


class Column(NamedTuple):
    """A branch: its type in words; that of its numbers, None where it holds none; and its lists.

    `counter` is the branch that counts them, None where there is none.
    """

    type: str
    numbers: np.dtype[Any] | None
    in_lists: bool
    counter: str | None = None


class Table(ABC):
    """The entries of an open file, with a name, and what it is called in messages.

    Its columns are called branches, as in ROOT. A file that turns out to be broken, and a branch
    that is not there, are an InputError that names the file.
    """

    path: Place
    name: str
    called: str
    # Other files with branches of it, and why others of them are not read.
    friends: tuple[Place, ...] = ()
    not_read: Sequence[str] = ()

    @property
    @abstractmethod
    def entries(self) -> int:
        """How many entries there are."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of the branches."""

    @abstractmethod
    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Any]:
        """Return these branches of the entries from start to before stop, as awkward arrays."""

    def require(self, names: Collection[str]) -> None:
        """Refuse names that no branch has."""
        require_branches(self.path, [*names], self.names(), self.called, self.not_read)

    @abstractmethod
    def columns(self, names: Collection[str]) -> dict[str, Column]:
        """Return what these branches are, in the order of the file."""

    @abstractmethod
    def bytes_per_entry(self, names: Collection[str] | None = None) -> float:
        """Return about how much one entry takes in memory, of these branches or of all."""

    @abstractmethod
    def ends(self, names: Collection[str] | None = None) -> NDArray[np.int64]:
        """Return where entries can be parted so that nothing of these branches is read twice.

        They rise from 0 to the number of entries.
        """

    def ranges(self, entries_at_most: int, names: Collection[str] | None = None) -> list[Range]:
        """Return all entries in ranges from start to before stop, one where there are none.

        They end where `ends` says, as far as such places are near enough.
        """
        ends = self.ends(names)
        ranges: list[Range] = []
        start = 0
        while start < self.entries or not ranges:
            furthest = start + entries_at_most
            stop = int(ends[np.searchsorted(ends, furthest, side="right") - 1])
            if stop <= start:
                stop = min(furthest, self.entries)
            ranges.append((start, stop))
            start = stop
        return ranges

    def chunks(
        self, names: Sequence[str], chunk_bytes: int, share: Share = WHOLE
    ) -> Iterator[tuple[int, Any]]:
        """Yield first entries, and `read` from each on as much as takes about so many bytes.

        A table without entries gives arrays without entries, once; no arrays are given of none.
        The chunks of all shares are those of the whole, and one may have none.
        """
        self.require(names)
        if names:
            fit = max(int(chunk_bytes / max(self.bytes_per_entry(names), 1)), 1)
            ranges = self.ranges(fit, names)
            first, last = (len(ranges) * (share.place + end) // share.of for end in (0, 1))
            for start, stop in ranges[first:last]:
                yield start, self.read(names, start, stop)
