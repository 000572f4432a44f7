"""Trees of open ROOT files, of either format: TTree and RNTuple."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray
from uproot.containers import AsContainer, AsDynamic
from uproot.interpretation.identify import UnknownInterpretation
from uproot.interpretation.numerical import Numerical

from rootflow.errors import InputError
from rootflow.formats.faults import faults_of
from rootflow.formats.table import Column, Table
from rootflow.places import Place


class _OfRoot(Table):
    """A tree of uproot, of a file that stays open."""

    kind: str

    def __init__(self, path: Place, tree: Any) -> None:
        self.path = path
        self.name: str = tree.object_path.strip("/").rpartition(";")[0]
        self.called = f"{self.kind} '{self.name}'"  # in messages
        self.tree = tree

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return int(self.tree.num_entries)


class _Leaf(NamedTuple):
    """What is called a branch here: a branch of one of uproot's trees, or a member of it."""

    tree: Any
    branch: Any
    path: str
    member: str | None

    @property
    def numbers(self) -> np.dtype[Any] | None:
        """The type of its numbers, None where it holds none, or objects as a whole."""
        way = self.branch.interpretation
        numbers = way.content if isinstance(way, uproot.AsJagged) else way
        if not isinstance(numbers, Numerical) or isinstance(numbers, uproot.AsStridedObjects):
            return None
        kind: np.dtype[Any] = np.dtype(numbers.numpy_dtype)
        return kind if self.member is None else kind[self.member]

    @property
    def is_object(self) -> bool:
        """Whether it was written as a whole, which uproot reads of some classes, as records."""
        way = self.branch.interpretation
        if isinstance(way, uproot.AsObjects):
            return not isinstance(way.model, AsContainer) or isinstance(way.model, AsDynamic)
        return isinstance(way, uproot.AsStridedObjects | UnknownInterpretation)


class Tree(_OfRoot):
    """A TTree.

    The branches of a split object, `Jet`, are called `Jet.PT`, those of a leaf list BRANCH.LEAF.
    Those of friends, which are given by the names that the tree has for them, follow its own, as
    FRIEND.BRANCH where one before has that name. `not_read` says of each other friend why it is
    none, `files` in which other files they are.
    """

    kind = "tree"

    def __init__(
        self,
        path: Place,
        tree: Any,
        friends: Mapping[str, Any] | None = None,
        not_read: Sequence[str] = (),
        files: Sequence[Place] = (),
    ) -> None:
        super().__init__(path, tree)
        self.not_read = not_read
        self.friends = tuple(files)
        with faults_of(path):
            self._leaves = dict(_leaves_of(tree))
            for friend, its_tree in (friends or {}).items():
                self._leaves |= {
                    f"{friend}.{name}" if name in self._leaves else name: leaf
                    for name, leaf in _leaves_of(its_tree)
                }

    def names(self) -> list[str]:
        """Return the names of the branches."""
        return list(self._leaves)

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Any]:
        """Return these branches of the entries from start to before stop, as awkward arrays."""
        leaves = self._chosen(names)
        for name, leaf in leaves.items():
            if leaf.is_object:
                raise InputError(
                    f"{self.path}: branch '{name}' is an object of type {leaf.branch.typename}, "
                    f"written as a whole: write it split, or its numbers as branches"
                )
        paths: dict[int, tuple[Any, dict[str, None]]] = {}
        for leaf in leaves.values():
            paths.setdefault(id(leaf.tree), (leaf.tree, {}))[1][leaf.path] = None
        with faults_of(self.path):
            arrays = {
                number: tree.arrays([*of_tree], entry_start=start, entry_stop=stop, how=dict)
                for number, (tree, of_tree) in paths.items()
            }
        read = {name: arrays[id(leaf.tree)][leaf.path] for name, leaf in leaves.items()}
        members = {name: leaf.member for name, leaf in leaves.items() if leaf.member is not None}
        return read | {name: read[name][member] for name, member in members.items()}

    def columns(self, names: Collection[str]) -> dict[str, Column]:
        """Return what these branches are, in the order of the file."""
        found = {}
        with faults_of(self.path):
            for name in (each for each in self._leaves if each in names):
                leaf = self._leaves[name]
                in_lists = isinstance(leaf.branch.interpretation, uproot.AsJagged)
                counter = leaf.branch.count_branch if in_lists else None
                if counter is not None:
                    # A split object counts itself.
                    counter = name.rpartition(".")[0] if "/" in leaf.path else counter.name
                kind = leaf.branch.typename if leaf.member is None else str(leaf.numbers)
                found[name] = Column(kind, leaf.numbers, in_lists, counter)
        return found

    def bytes_per_entry(self, names: Collection[str] | None = None) -> float:
        """Return how much one entry takes, decompressed, of these branches or of all."""
        with faults_of(self.path):
            total = sum(branch.uncompressed_bytes for branch in self._branches(names))
        return float(total) / max(self.entries, 1)

    def ends(self, names: Collection[str] | None = None) -> NDArray[np.int64]:
        """Return where baskets of all these branches end, or of all."""
        with faults_of(self.path):
            ends = [branch.entry_offsets for branch in self._branches(names) if branch.num_baskets]
        return np.asarray(reduce(np.intersect1d, ends) if ends else [0])

    def _chosen(self, names: Collection[str]) -> dict[str, _Leaf]:
        self.require(names)
        return {name: self._leaves[name] for name in names}

    def _branches(self, names: Collection[str] | None) -> list[Any]:
        leaves = self._leaves if names is None else self._chosen(names)
        return list({id(leaf.branch): leaf.branch for leaf in leaves.values()}.values())


def _leaves_of(tree: Any) -> Iterator[tuple[str, _Leaf]]:
    """Yield what there is to read of a TTree, by the name that it has here."""
    for branch in tree.branches:
        yield from _below(tree, branch, branch.name, branch.name)


def _below(tree: Any, branch: Any, called: str, path: str) -> Iterator[tuple[str, _Leaf]]:
    above = branch.name.removesuffix(".")
    for below in branch.branches:
        # ROOT writes the object before the member only where its name ends with a dot, or in lists.
        member = below.name.removeprefix(f"{above}.").partition("[")[0]
        inner = f"{called.removesuffix('.')}.{member}"
        yield from _below(tree, below, inner, f"{path}/{below.name}")
    if not branch.branches:
        whole = _Leaf(tree, branch, path, None)
        is_list = len(branch.member("fLeaves")) > 1
        members = whole.numbers.names if is_list and whole.numbers is not None else None
        if members is None:
            yield called, whole
        for member in members or ():
            yield f"{called}.{member}", whole._replace(member=member)


class NTuple(_OfRoot):
    """An RNTuple: its fields are the branches, RECORD.FIELD within records, none of it optional.

    Half-precision numbers, for which awkward has no sums, are given as float32.
    """

    kind = "RNTuple"

    def __init__(self, path: Place, tree: Any) -> None:
        super().__init__(path, tree)
        with faults_of(path):
            self._fields: list[str] = tree.keys()
        self._last: tuple[Any, dict[str, Any]] = ((), {})

    def names(self) -> list[str]:
        """Return the names of the fields that hold no other ones."""
        ends = ((field, place) for field in self._fields for place in range(len(field)))
        records = {field[:place] for field, place in ends if field[place] == "."}
        return [field for field in self._fields if field not in records]

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Any]:
        """Return these fields of the entries from start to before stop, as awkward arrays."""
        # uproot leaves out what it does not find, and gives all as the file orders them.
        self.require(names)
        # A cluster is decompressed as a whole, whichever of its entries are asked for.
        ends = self.ends()
        first = int(ends[np.searchsorted(ends, start, side="right") - 1])
        last = int(ends[np.searchsorted(ends, stop)])
        asked = (tuple(names), first, last)
        if self._last[0] != asked:
            self._last = asked, self._plain(self._arrays(names, first, last))
        return {name: array[start - first : stop - first] for name, array in self._last[1].items()}

    def columns(self, names: Collection[str]) -> dict[str, Column]:
        """Return what these fields are, in the order of the file."""
        found = {}
        for name, array in self._arrays(
            [each for each in self.names() if each in names], 0, 0
        ).items():
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

    def _arrays(self, names: Sequence[str], first: int, last: int) -> dict[str, Any]:
        """Return the arrays of these fields, without the records around them."""
        arrays = {}
        with faults_of(self.path):
            record = self.tree.arrays([*names], entry_start=first, entry_stop=last)
            for name in names:
                array = record
                for field in [name] if name in record.fields else name.split("."):
                    if array.is_tuple:  # has places, of those that are read, in place of names
                        array = self.tree[name].array(entry_start=first, entry_stop=last)
                        break
                    array = array[field]
                arrays[name] = (
                    array
                    if "float16" not in str(array.type)
                    else ak.values_astype(array, np.float32)
                )
        return arrays

    def _plain(self, arrays: dict[str, Any]) -> dict[str, Any]:
        """Return the arrays; what may not hold something of one kind is refused."""
        for name, array in arrays.items():
            kind = str(array.type.content)
            if "union[" in kind:
                raise InputError(
                    f"{self.path}: branch '{name}', {kind}, is of several types, one or the other "
                    "in each event: write each as a branch of its own"
                )
            if "?" in kind or "option" in kind:
                # uproot 5.7.7 writes the numbers of other events into those of masked arrays.
                raise InputError(
                    f"{self.path}: branch '{name}', {kind}, is optional, and such ones may hold "
                    "numbers of other events: fill what is missing before it is written "
                    "(ak.fill_none)"
                )
        return arrays
