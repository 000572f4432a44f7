"""Files of events, found and opened; whatever is wrong with one is said in one line."""

from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import ModuleType

from rootflow.formats import csv, hdf5, parquet, root
from rootflow.formats.faults import faults_of_the_disk, require_file
from rootflow.formats.table import Table
from rootflow.places import Place
from rootflow.places.access import open_binary

# Of names of files; others are ROOT's.
SUFFIXES = (".root", *csv.SUFFIXES, *parquet.SUFFIXES, *hdf5.SUFFIXES)
# What is told by how the file begins, else by its name.
OTHERS = (parquet, hdf5)


@contextmanager
def open_table(
    path: Place, tree: str | None = None, integers: Collection[str] = ()
) -> Iterator[Table]:
    """Yield the entries of a file: CSV by its name, Parquet, HDF5, or ROOT's TTree or RNTuple.

    Where no tree is named it is the only one; of HDF5 it is a group, and the whole file where none
    is named. In CSV, which has no types, these columns are integers, others float64. A file
    that is missing, empty, truncated or of no such format, or has no such tree, is an InputError.
    """
    size = require_file(path)
    with _opened(path, size, tree, integers) as table:
        yield table


def glance(path: Place, tree: str | None, branches: Collection[str]) -> bool:
    """Return whether a file has these branches and no friends, as far as that is told quickly.

    False says nothing: what is there is told by opening it. A file that cannot be read is an
    InputError.
    """
    size = require_file(path)
    return _format_of(path) is root and root.glance(path, size, tree, branches)


def _opened(
    path: Place, size: int, tree: str | None, integers: Collection[str]
) -> AbstractContextManager[Table]:
    file_format = _format_of(path)
    if file_format is csv:
        return nullcontext(csv.CsvTable(path, integers))
    if file_format is root:
        return root.open_file(path, size, tree)
    opened: AbstractContextManager[Table] = file_format.open_file(path, tree)
    return opened


def _format_of(path: Place) -> ModuleType:
    name = path.name.lower()
    if name.endswith(csv.SUFFIXES):
        return csv
    with faults_of_the_disk(path), open_binary(path) as content:
        beginning = content.read(max(len(other.MAGIC) for other in OTHERS))
    named = [other for other in OTHERS if name.endswith(other.SUFFIXES)]
    told = [other for other in OTHERS if beginning.startswith(other.MAGIC)]
    if beginning.startswith(root.MAGIC) or not (told or named):
        return root
    return (told or named)[0]
