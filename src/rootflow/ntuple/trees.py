"""Trees of open ROOT files, of either format: TTree and RNTuple."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.ntuple.faults import faults_of, require_branches


class Column(NamedTuple):
    """A branch: its type in words; that of its numbers, None where it holds none; and its lists.

    `counter` is the branch that counts them, None where there is none.
    """

    type: str
    numbers: np.dtype[Any] | None
    in_lists: bool
    counter: str | None = None


class OpenTree:
    """A tree, by its name, of so many entries; uproot's own is of a file that stays open."""

    kind = "tree"

    def __init__(self, path: Path, tree: Any) -> None:
        self.path = path
        self.name: str = tree.name
        self.called = f"{self.kind} '{self.name}'"  # in messages
        self.entries: int = tree.num_entries
        self.tree = tree

    def names(self) -> list[str]:
        """Return the names of the branches."""
        return list(self.tree.keys(recursive=False))

    def chunks(self, names: Sequence[str], chunk_bytes: int) -> Iterator[dict[str, Any]]:
        """Yield these branches of all entries, some at a time; of none once."""
        with faults_of(self.path):
            if self.entries == 0:
                yield self.tree.arrays(list(names), how=dict)
            yield from self.tree.iterate(list(names), step_size=f"{chunk_bytes} B", how=dict)

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Any]:
        """Return these branches of the entries from start to before stop, as awkward arrays."""
        require_branches(self.path, names, self.names(), self.called)
        with faults_of(self.path):
            arrays: dict[str, Any] = self.tree.arrays(
                list(names), entry_start=start, entry_stop=stop, how=dict
            )
        return arrays

    def columns(self, names: Collection[str]) -> dict[str, Column]:
        """Return what these branches are, in the order of the file."""
        found = {}
        with faults_of(self.path):
            for branch in (each for each in self.tree.branches if each.name in names):
                in_lists = isinstance(branch.interpretation, uproot.AsJagged)
                numbers = branch.interpretation.content if in_lists else branch.interpretation
                counter = branch.count_branch if in_lists else None
                found[branch.name] = Column(
                    branch.typename,
                    numbers.to_dtype if isinstance(numbers, uproot.AsDtype) else None,
                    in_lists,
                    counter and counter.name,
                )
        return found

    def ranges(self, entries_at_most: int) -> list[tuple[int, int]]:
        """Return all entries in ranges from start to before stop, one where there are none.

        They end where baskets of all branches or clusters end, as far as such places are near
        enough: then nothing is decompressed twice.
        """
        ends = self._ends()
        ranges: list[tuple[int, int]] = []
        start = 0
        while start < self.entries or not ranges:
            furthest = start + entries_at_most
            stop = int(ends[np.searchsorted(ends, furthest, side="right") - 1])
            if stop <= start:
                stop = min(furthest, self.entries)
            ranges.append((start, stop))
            start = stop
        return ranges

    def bytes_per_entry(self) -> float:
        """Return how much one entry takes, decompressed."""
        with faults_of(self.path):
            return float(self.tree.uncompressed_bytes) / max(self.entries, 1)

    def _ends(self) -> NDArray[np.int64]:
        with faults_of(self.path):
            return np.asarray(self.tree.common_entry_offsets())


class OpenNTuple(OpenTree):
    """An RNTuple: its fields are the branches, RECORD.FIELD within records, none of it optional."""

    kind = "RNTuple"

    def names(self) -> list[str]:
        """Return the names of the fields that hold no other ones."""
        names = self.tree.keys()
        return [name for name in names if not any(each.startswith(f"{name}.") for each in names)]

    def chunks(self, names: Sequence[str], chunk_bytes: int) -> Iterator[dict[str, Any]]:
        """Yield these fields of all entries, some at a time; of none once."""
        fit = max(int(chunk_bytes / max(self.bytes_per_entry(names), 1)), 1)
        # A cluster is decompressed as a whole, whichever of its entries are asked for.
        for start, stop in self.ranges(max(fit, int(np.diff(self._ends()).max(initial=0)))):
            arrays = self.read(names, start, stop)
            for first in range(0, max(stop - start, 1), fit):
                yield {name: array[first : first + fit] for name, array in arrays.items()}

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Any]:
        """Return these fields of the entries from start to before stop, as awkward arrays."""
        # uproot leaves out what it does not find, and gives all as the file orders them.
        require_branches(self.path, names, self.names(), self.called)
        with faults_of(self.path):
            record = self.tree.arrays(list(names), entry_start=start, entry_stop=stop)
            return {name: self._plain(name, record) for name in names}

    def columns(self, names: Collection[str]) -> dict[str, Column]:
        """Return what these fields are, in the order of the file."""
        found = {}
        arrays = self.read([name for name in self.names() if name in names], 0, 0)
        for name, array in arrays.items():
            kind = array.type.content
            in_lists = isinstance(kind, ak.types.ListType) and str(kind) != "string"
            inner, shape = kind.content if in_lists else kind, tuple[int, ...]()
            while isinstance(inner, ak.types.RegularType):
                inner, shape = inner.content, (*shape, inner.size)
            number = getattr(inner, "primitive", None)
            found[name] = Column(str(kind), number and np.dtype((number, shape)), in_lists)
        return found

    def bytes_per_entry(self, names: Sequence[str] | None = None) -> float:
        """Return how much one entry takes, decompressed, of these fields or of all."""
        if not self.entries:
            return 0.0
        with faults_of(self.path):
            return 2**20 / float(self.tree.num_entries_for(2**20, filter_name=names))

    def _ends(self) -> NDArray[np.int64]:
        with faults_of(self.path):
            clusters = self.tree.cluster_summaries
        return np.cumsum([0, *(cluster.num_entries for cluster in clusters)])

    def _plain(self, name: str, record: Any) -> Any:
        """Return the array of a field, in which all that it holds is there."""
        array = record
        for field in [name] if name in record.fields else name.split("."):
            array = array[field]
        kind = str(array.type)
        if "?" in kind or "option" in kind:
            # uproot 5.7.7 writes the numbers of other events into those of masked arrays.
            raise InputError(
                f"{self.path}: branch '{name}', {kind}, is optional, and such ones may hold "
                "numbers of other events: fill what is missing before it is written (ak.fill_none)"
            )
        return array
