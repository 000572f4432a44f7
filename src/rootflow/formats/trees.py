"""Trees of open ROOT files, of either format: TTree and RNTuple."""

from collections.abc import Collection, Sequence
from typing import Any

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.formats.faults import faults_of, require_branches
from rootflow.formats.table import Column, Table
from rootflow.places import Place


class Tree(Table):
    """A TTree: uproot's own is of a file that stays open."""

    kind = "tree"

    def __init__(self, path: Place, tree: Any) -> None:
        self.path = path
        self.name: str = tree.name
        self.called = f"{self.kind} '{self.name}'"  # in messages
        self.tree = tree

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return int(self.tree.num_entries)

    def names(self) -> list[str]:
        """Return the names of the branches."""
        return list(self.tree.keys(recursive=False))

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
                    None if counter is None else counter.name,
                )
        return found

    def bytes_per_entry(self, names: Collection[str] | None = None) -> float:
        """Return how much one entry takes, decompressed, of these branches or of all."""
        with faults_of(self.path):
            branches = [self.tree] if names is None else [self.tree[name] for name in names]
            total = sum(branch.uncompressed_bytes for branch in branches)
        return float(total) / max(self.entries, 1)

    def ends(self, names: Collection[str] | None = None) -> NDArray[np.int64]:
        """Return where baskets of all these branches end, or of all."""
        with faults_of(self.path):
            chosen = None if names is None else list(names)
            return np.asarray(self.tree.common_entry_offsets(filter_name=chosen))


class NTuple(Tree):
    """An RNTuple: its fields are the branches, RECORD.FIELD within records, none of it optional."""

    kind = "RNTuple"

    def __init__(self, path: Place, tree: Any) -> None:
        super().__init__(path, tree)
        self._last: tuple[Any, dict[str, Any]] = ((), {})

    def names(self) -> list[str]:
        """Return the names of the fields that hold no other ones."""
        names = self.tree.keys()
        return [name for name in names if not any(each.startswith(f"{name}.") for each in names)]

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Any]:
        """Return these fields of the entries from start to before stop, as awkward arrays."""
        # uproot leaves out what it does not find, and gives all as the file orders them.
        require_branches(self.path, names, self.names(), self.called)
        # A cluster is decompressed as a whole, whichever of its entries are asked for.
        ends = self.ends()
        first = int(ends[np.searchsorted(ends, start, side="right") - 1])
        last = int(ends[np.searchsorted(ends, stop)])
        asked = (tuple(names), first, last)
        if self._last[0] != asked:
            with faults_of(self.path):
                record = self.tree.arrays(list(names), entry_start=first, entry_stop=last)
                self._last = asked, {name: self._plain(name, record) for name in names}
        return {name: array[start - first : stop - first] for name, array in self._last[1].items()}

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

    def bytes_per_entry(self, names: Collection[str] | None = None) -> float:
        """Return how much one entry takes, decompressed, of these fields or of all."""
        if not self.entries:
            return 0.0
        with faults_of(self.path):
            return 2**20 / float(self.tree.num_entries_for(2**20, filter_name=names and [*names]))

    def ends(self, names: Collection[str] | None = None) -> NDArray[np.int64]:  # noqa: ARG002
        """Return where clusters end, which are those of all fields."""
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
