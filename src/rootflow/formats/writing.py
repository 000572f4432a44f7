"""Writing ROOT files: trees, those of other files with more branches, and histograms."""

import difflib
import fnmatch
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import awkward as ak
import numpy as np
import uproot
from numpy.typing import NDArray

from rootflow.errors import InputError, UsageError
from rootflow.formats.faults import faults_of
from rootflow.formats.root_files import open_root
from rootflow.formats.table import Table
from rootflow.places import Place

TREE = "events"
NUMBERS = "biuf"
# What uproot calls lists with one counter: no branch is named so.
COUNTED_BY = "counted by "
# Of the levels and algorithms of ROOT the best in time for size: see docs/apply.md.
COMPRESSION = uproot.ZSTD(1)
# How often a tree grows where nobody knows.
USUAL_EXTENSIONS = 8


class Branches(NamedTuple):
    """What there is to copy of a tree.

    Scalars are branches with one number, or an array of fixed length, for each entry, with their
    types; lists are by the branch that will count them: their own where the file has one, else a
    new one.
    """

    tree: str
    scalars: dict[str, str]
    lists: dict[str, dict[str, str]]

    def names(self) -> list[str]:
        """Return all branches that are read."""
        return [*self.scalars, *(name for group in self.lists.values() for name in group)]

    def read(self, tree: Table, start: int, stop: int) -> dict[str, Any]:
        """Return entries from start to before stop, as `TreeWriter.extend` takes them."""
        arrays = tree.read(self.names(), start, stop)
        scalars = {name: ak.to_numpy(arrays[name]) for name in self.scalars}
        return scalars | {
            COUNTED_BY + counter: ak.zip({name: arrays[name] for name in group})
            for counter, group in self.lists.items()
        }


def branches_of(tree: Table, kept: Sequence[str] = (), dropped: Sequence[str] = ()) -> Branches:
    """Return what there is to copy of a tree: branches by names or globs, all where none is kept.

    A type that cannot be written is an InputError, a branch that is not there a UsageError.
    """
    scalars: dict[str, str] = {}
    lists: dict[str, dict[str, str]] = {}
    unwritable: dict[str, str] = {}
    there = tree.names()
    chosen = _matches(tree.path, "--keep", kept, there) if kept else set(there)
    chosen -= _matches(tree.path, "--drop", dropped, there)
    taken = set(chosen)
    for branch, column in tree.columns(chosen).items():
        numbers, in_lists = column.numbers, column.in_lists
        if numbers is None or numbers.base.kind not in NUMBERS or (in_lists and numbers.shape):
            unwritable[branch] = column.type
        elif in_lists:
            name = column.counter or _new_name(branch, taken)
            lists.setdefault(name, {})[branch] = str(numbers)
        else:
            scalars[branch] = str(numbers)
    if unwritable:
        name, kind = next(iter(unwritable.items()))
        raise InputError(
            f"{tree.path}: branch '{name}' is {kind}, which cannot be written again: leave it out "
            f"with {' '.join(f'--drop {name}' for name in unwritable)}"
        )
    scalars = {name: kind for name, kind in scalars.items() if name not in lists}
    return Branches(tree.name, scalars, lists)


def _matches(path: Place, option: str, patterns: Sequence[str], there: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        matching = {name for name in there if fnmatch.fnmatchcase(name, pattern)}
        if not matching:
            near = ", ".join(difflib.get_close_matches(pattern, there, n=3))
            hint = f"; near matches: {near}" if near else ""
            raise UsageError(f"{option} {pattern}: {path} has no such branch{hint}")
        found |= matching
    return found


@dataclass
class TreeWriter:
    """A tree of a new file that grows, and how often it will."""

    file: Any
    tree: str
    title: str = ""
    extensions: int = USUAL_EXTENSIONS
    written: Any = None

    def extend(self, columns: Mapping[str, NDArray[np.generic] | ak.Array]) -> None:
        """Write the next entries: what `Branches.read` gives, and more numbers by branch."""
        if self.written is None:
            self.written = self.file.mktree(
                self.tree,
                {name: ak.type(column).content for name, column in columns.items()},
                title=self.title,
                counter_name=lambda counted: counted.removeprefix(COUNTED_BY),
                field_name=lambda _, inner: inner,
                # Room for all baskets: else the head of the tree is written anew as it fills.
                initial_basket_capacity=self.extensions + 2,
            )
        if len(next(iter(columns.values()))):
            self.written.extend(columns)


@contextmanager
def tree_writer(path: Path, tree: str, title: str, extensions: int) -> Iterator[TreeWriter]:
    """Yield a writer of a tree in a new file, which will be extended so often."""
    with uproot.recreate(path, compression=COMPRESSION) as file:
        yield TreeWriter(file, tree, title, extensions)


def _new_name(name: str, taken: set[str]) -> str:
    """Return the name of a branch that counts another one, as nothing else is named."""
    longer = (f"{'n' * times}{name}" for times in itertools.count(1))
    free = next(each for each in longer if each not in taken)
    taken.add(free)
    return free


def write_tree(path: Path, chunks: Iterable[Mapping[str, Any]], notes: Mapping[str, str]) -> None:
    """Write columns to the tree `events` of a new ROOT file, chunk by chunk, and notes beside it.

    Integers of 8 bits, which ROOT takes for characters, become such of 32 bits.
    """
    with uproot.recreate(path) as file:
        for name, text in notes.items():
            file[name] = text
        writer = TreeWriter(file, TREE)
        for chunk in chunks:
            writer.extend({name: _as_number(column) for name, column in chunk.items()})


def _as_number(column: Any) -> Any:
    characters = isinstance(column, np.ndarray) and column.dtype in (np.int8, np.uint8)
    return column.astype(np.int32) if characters else column


def write_histograms(path: Path, histograms: Mapping[str, Any]) -> None:
    """Write histograms of `hist` to a new ROOT file, by their names; `/` makes directories."""
    with uproot.recreate(path) as file:
        for name, histogram in histograms.items():
            file[name] = histogram


NOTE = "rootflow_apply"
# In the note: the files whose events these are, by the UUID that ROOT gives each file.
SOURCES = "sources"


def read_applied(path: Place) -> dict[str, Any] | None:
    """Return what `apply` noted in a file, None where it did not write it or there is none."""
    try:
        with faults_of(path), open_root(path) as file:
            text = str(file[NOTE]) if NOTE in file else "null"
        note = json.loads(text)
    except InputError:
        return None
    except ValueError:
        return {}
    return note if isinstance(note, dict) or note is None else {}


def _lineage_of(path: Place) -> tuple[str, dict[str, str]]:
    """Return which file it is, and those whose events it holds again, by their UUIDs."""
    with faults_of(path), open_root(path) as file:
        uuid = str(file.file.uuid)
    sources = (read_applied(path) or {}).get(SOURCES)
    return uuid, sources if isinstance(sources, dict) else {}


def sources_of(paths: Iterable[Place]) -> dict[str, str]:
    """Return all files whose events a file has that is made of these."""
    found: dict[str, str] = {}
    for path in paths:
        uuid, sources = _lineage_of(path)
        found |= {**sources, uuid: str(path)}
    return found


def refuse_beside_sources(paths: Sequence[Place]) -> None:
    """Refuse files that `apply` wrote beside those that it read, or beside others of the same.

    What cannot be read is not looked at.
    """
    lineages: dict[Place, tuple[str, dict[str, str]]] = {}
    for path in paths:
        with suppress(InputError):  # whoever reads it says what is wrong
            lineages[path] = _lineage_of(path)
    read = {uuid: path for path, (uuid, _) in lineages.items()}
    held: dict[str, Place] = {}
    twice = "its events would count twice: leave one of them out"
    for path, (_, sources) in lineages.items():
        for uuid in sources:
            if uuid in read:
                raise InputError(
                    f"{path}: rootflow apply wrote it from {read[uuid]}, which is read, too: "
                    f"{twice}"
                )
    for path, (_, sources) in lineages.items():
        for uuid, source in sources.items():
            if held.setdefault(uuid, path) != path:
                raise InputError(
                    f"{path}: rootflow apply wrote it from {source}, as it did {held[uuid]}: "
                    f"{twice}"
                )
