"""Files of events, found and opened; whatever is wrong with one is said in one line."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from rootflow.errors import InputError
from rootflow.formats import csv, hdf5, parquet
from rootflow.formats.faults import faults_of, faults_of_the_disk, require_file
from rootflow.formats.root_files import open_root
from rootflow.formats.table import Table
from rootflow.formats.trees import NTuple, Tree
from rootflow.places import Place
from rootflow.places.access import open_binary

MAGIC = b"root"
# By the names of ROOT's classes.
KINDS = {"TTree": Tree, "ROOT::RNTuple": NTuple}
# What is told by how the file begins, else by its name.
OTHERS = (parquet, hdf5)


@contextmanager
def open_table(
    path: Place, tree: str | None = None, integers: Collection[str] = ()
) -> Iterator[Table]:
    """Yield the entries of a file: CSV by its name, Parquet, HDF5, or ROOT's TTree or RNTuple.

    Where no tree is named it is the only one; of HDF5 it is a group, and the whole file where none
    is named. Of CSV, which has no types, these columns are integers and the others float64. A file
    that is missing, empty, truncated or of no such format, or has no such tree, is an InputError.
    """
    size = require_file(path)
    with _opened(path, size, tree, integers) as table:
        yield table


def _opened(
    path: Place, size: int, tree: str | None, integers: Collection[str]
) -> AbstractContextManager[Table]:
    name = path.name.lower()
    if name.endswith(csv.SUFFIXES):
        return nullcontext(csv.CsvTable(path, integers))
    with faults_of_the_disk(path), open_binary(path) as content:
        beginning = content.read(max(len(other.MAGIC) for other in OTHERS))
    named = [other for other in OTHERS if name.endswith(other.SUFFIXES)]
    told = [other for other in OTHERS if beginning.startswith(other.MAGIC)]
    if beginning.startswith(MAGIC) or not (told or named):
        return _open_root(path, size, tree)
    opened: AbstractContextManager[Table] = (told or named)[0].open_file(path, tree)
    return opened


@contextmanager
def _open_root(path: Place, size: int, tree: str | None) -> Iterator[Tree]:
    with ExitStack() as stack:
        with faults_of(path):
            file = stack.enter_context(open_root(path))
            if size < file.file.fEND:
                raise InputError(
                    f"{path}: not a whole ROOT file; it may be truncated: {size} of its "
                    f"{file.file.fEND} bytes are there"
                )
            found = _find_tree(file, path, tree)
        yield found


def _find_tree(file: Any, path: Place, tree: str | None) -> Tree:
    classes = file.classnames(filter_classname=[*KINDS], cycle=False)
    trees = sorted(classes)
    there = f"trees in it: {', '.join(trees)}" if trees else "there is no tree in it"
    if tree is None:
        if len(trees) != 1:
            raise InputError(
                f"{path}: the branch map names no tree, so the file needs exactly one; {there}"
            )
        (tree,) = trees
    if tree not in trees:
        raise InputError(f"{path}: no tree '{tree}'; {there}")
    return KINDS[classes[tree]](path, file[tree])
