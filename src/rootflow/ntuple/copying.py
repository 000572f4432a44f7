"""Copying a tree with more branches, some entries at a time."""

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from rootflow.errors import InputError, UsageError
from rootflow.ntuple.opening import faults_of, opened

NUMBERS = "biuf"
# What uproot calls lists with one counter: no branch is named so.
COUNTED_BY = "counted by "


class Branches(NamedTuple):
    """What there is to copy of a tree.

    Attributes
    ----------
    tree
        Its name.
    entries
        How many there are.
    scalars
        Branches with one number, or an array of fixed length, for each entry, with their types.
    lists
        Branches with a list for each entry, by the branch that will count them: its own
        where the file has one, else a new one.
    """

    tree: str
    entries: int
    scalars: dict[str, str]
    lists: dict[str, dict[str, str]]

    def names(self) -> list[str]:
        """Return all branches that are read."""
        return [*self.scalars, *(name for group in self.lists.values() for name in group)]


def branches_of(path: Path, tree: str | None, dropped: Collection[str] = ()) -> Branches:
    """Return what there is to copy of a tree.

    Parameters
    ----------
    tree
        Its name; None: the only one in the file.
    dropped
        Branches to be left out.

    Raises
    ------
    InputError
        The file cannot be read, or a branch is of a type that cannot be written.
    UsageError
        A branch to leave out is not there.
    """
    scalars: dict[str, str] = {}
    lists: dict[str, dict[str, str]] = {}
    with opened(path, tree) as found:
        _refuse_unknown(path, dropped, [branch.name for branch in found.branches])
        branches = [branch for branch in found.branches if branch.name not in dropped]
        taken = {branch.name for branch in branches}
        for branch in branches:
            of_list = isinstance(branch.interpretation, uproot.AsJagged)
            numbers = branch.interpretation.content if of_list else branch.interpretation
            if not _can_be_written(numbers, of_list):
                raise InputError(
                    f"{path}: branch '{branch.name}' is {branch.typename}, which cannot be "
                    f"written again: leave it out with --drop {branch.name}"
                )
            if of_list:
                counter = branch.count_branch
                name = _new_name(branch.name, taken) if counter is None else counter.name
                lists.setdefault(name, {})[branch.name] = str(numbers.to_dtype)
            else:
                scalars[branch.name] = str(numbers.to_dtype)
        scalars = {name: kind for name, kind in scalars.items() if name not in lists}
        return Branches(found.name, found.num_entries, scalars, lists)


def _refuse_unknown(path: Path, dropped: Collection[str], there: Sequence[str]) -> None:
    for name in dropped:
        if name not in there:
            near = ", ".join(difflib.get_close_matches(name, there, n=3))
            hint = f"; near matches: {near}" if near else ""
            raise UsageError(f"--drop {name}: {path} has no such branch{hint}")


class TreeReader:
    """A tree whose entries are read some at a time."""

    def __init__(self, path: Path, tree: Any, branches: Branches) -> None:
        self._path = path
        self._tree = tree
        self._branches = branches

    def read(self, start: int, stop: int) -> dict[str, Any]:
        """Return entries from start to before stop, as `TreeWriter.extend` takes them.

        Raises
        ------
        InputError
            The file is damaged.
        """
        names = self._branches.names()
        with faults_of(self._path):
            arrays = self._tree.arrays(names, entry_start=start, entry_stop=stop, how=dict)
        scalars = {name: ak.to_numpy(arrays[name]) for name in self._branches.scalars}
        return scalars | {
            COUNTED_BY + counter: ak.zip({name: arrays[name] for name in group})
            for counter, group in self._branches.lists.items()
        }


@contextmanager
def tree_reader(path: Path, branches: Branches) -> Iterator[TreeReader]:
    """Yield a reader of a tree, of which `branches_of` has said what there is."""
    with faults_of(path):
        file = uproot.open(path, array_cache=None)
    with file:
        yield TreeReader(path, file[branches.tree], branches)


class TreeWriter:
    """A tree of a new file that grows."""

    def __init__(self, file: Any, tree: str, title: str) -> None:
        self._file = file
        self._tree = tree
        self._title = title
        self._written: Any = None

    def extend(self, columns: Mapping[str, NDArray[np.generic] | ak.Array]) -> None:
        """Write the next entries.

        Parameters
        ----------
        columns
            What `TreeReader.read` gives, and more numbers by the name of the branch.
        """
        if self._written is None:
            self._written = self._file.mktree(
                self._tree,
                {name: ak.type(column).content for name, column in columns.items()},
                title=self._title,
                counter_name=lambda counted: counted.removeprefix(COUNTED_BY),
                field_name=lambda _, inner: inner,
            )
        if len(next(iter(columns.values()))):
            self._written.extend(columns)


@contextmanager
def tree_writer(path: Path, tree: str, title: str, note: Mapping[str, str]) -> Iterator[TreeWriter]:
    """Yield a writer of a tree in a new file.

    Parameters
    ----------
    note
        Text to lie beside the tree, by its name.
    """
    with uproot.recreate(path) as file:
        for name, text in note.items():
            file[name] = text
        yield TreeWriter(file, tree, title)


def _can_be_written(numbers: Any, of_list: bool) -> bool:
    if not isinstance(numbers, uproot.AsDtype):
        return False
    dtype = numbers.to_dtype
    base = dtype.base if dtype.subdtype else dtype
    return base.kind in NUMBERS and not (of_list and dtype.subdtype)


def _new_name(name: str, taken: set[str]) -> str:
    """Return the name of a branch that counts another one, as nothing else is named."""
    name = f"n{name}"
    while name in taken:
        name = f"n{name}"
    taken.add(name)
    return name
