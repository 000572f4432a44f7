"""HDF5 files: datasets of one group with a row for each event, such as structured arrays."""

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import awkward as ak
import h5py
import numpy as np
from numpy.typing import NDArray

from rootflow.errors import InputError
from rootflow.formats.faults import faults_of_the_disk, require_branches
from rootflow.formats.table import Column, Table
from rootflow.places import Place
from rootflow.places.access import readable

MAGIC = b"\x89HDF\r\n\x1a\n"
SUFFIXES = (".h5", ".hdf5", ".hdf")
NUMBERS = "biuf"
# What reading a damaged file raises.
BROKEN = (OSError, RuntimeError, KeyError, ValueError)


class Hdf5Table(Table):
    """The datasets of a group, of which each entry is a row.

    They are named by their paths in the group, GROUP/DATASET, and the fields of structured ones
    DATASET.FIELD. A dataset of more dimensions is a branch of arrays of fixed length.
    """

    def __init__(self, path: Place, group: h5py.Group) -> None:
        self.path = path
        self.name = group.name.strip("/") or "events"
        self.called = f"group '{group.name}'"
        self._datasets: dict[str, h5py.Dataset] = {}
        self._columns: dict[str, tuple[str, tuple[str, ...]]] = {}
        group.visititems(self._visit)
        lengths = {name: dataset.shape[0] for name, dataset in self._datasets.items()}
        if not lengths:
            raise InputError(f"{path}: {self.called} has no dataset with a row for each event")
        self._entries = next(iter(lengths.values()))
        for name, length in lengths.items():
            if length != self._entries:
                raise InputError(
                    f"{path}: {self.called} has datasets of different lengths, "
                    f"'{next(iter(lengths))}' of {self._entries} and '{name}' of {length}: name "
                    "the group that holds the events alone as the tree of the branch map"
                )

    def _visit(self, name: str, found: h5py.Group | h5py.Dataset) -> None:
        if isinstance(found, h5py.Dataset) and found.shape:
            self._datasets[name] = found
            for steps in _fields(found.dtype):
                column = ".".join((name, *steps))
                if column in self._columns:
                    raise InputError(
                        f"{self.path}: {self.called} has two columns that are named '{column}': "
                        "give one another name"
                    )
                self._columns[column] = (name, steps)

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return int(self._entries)

    def names(self) -> list[str]:
        """Return the names of the datasets, and of the fields of structured ones."""
        return list(self._columns)

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Any]:
        """Return these branches of the entries from start to before stop, as awkward arrays."""
        require_branches(self.path, names, self.names(), self.called)
        stop = min(stop, self.entries)
        rows: dict[str, NDArray[Any]] = {}
        found = {}
        for name in names:
            numbers = self._numbers(name)
            if numbers is None:
                raise InputError(
                    f"{self.path}: branch '{name}' is {_in_words(self._type(name))}, which is no "
                    "number: write it as integers, float32 or float64"
                )
            dataset, steps = self._columns[name]
            if dataset not in rows:
                self._require_readable(dataset)
                with _faults_of_hdf5(self.path):
                    rows[dataset] = self._datasets[dataset][start:stop]
            values = rows[dataset]
            for step in steps:
                values = values[step]
            values = np.ascontiguousarray(values, numbers.base)
            found[name] = ak.from_numpy(values, regulararray=True)
        return found

    def _require_readable(self, name: str) -> None:
        """Refuse a dataset whose numbers are elsewhere, or compressed by what is not there."""
        dataset = self._datasets[name]
        if dataset.external or dataset.is_virtual:
            raise InputError(
                f"{self.path}: dataset '{name}' holds its numbers in other files: copy them into "
                "one (h5repack, or read and write it with h5py)"
            )
        properties = dataset.id.get_create_plist()
        for place in range(properties.get_nfilters()):
            code, _, _, called = properties.get_filter(place)
            if not h5py.h5z.filter_avail(code):
                with suppress(ImportError):
                    import hdf5plugin  # noqa: F401 - it makes its filters known
            if not h5py.h5z.filter_avail(code):
                raise InputError(
                    f"{self.path}: dataset '{name}' is compressed by the HDF5 filter {code} "
                    f"({called.decode(errors='replace')}), which is not there: pip install "
                    "hdf5plugin, which has most filters, or write it with gzip"
                )

    def columns(self, names: Collection[str]) -> dict[str, Column]:
        """Return what these columns are, in the order of the file."""
        return {
            name: Column(_in_words(self._type(name)), self._numbers(name), in_lists=False)
            for name in self._columns
            if name in names
        }

    def bytes_per_entry(self, names: Collection[str] | None = None) -> float:
        """Return how much one entry takes as it is read: of structured arrays it is all fields."""
        chosen = self._columns if names is None else names
        used = {self._columns[name][0] for name in chosen}
        datasets = [self._datasets[name] for name in used]
        return float(sum(each.dtype.itemsize * np.prod(each.shape[1:]) for each in datasets))

    def ends(self, names: Collection[str] | None = None) -> NDArray[np.int64]:
        """Return where chunks of all these datasets end together, or anywhere where there is none.

        Where chunks do not fit each other, it is only the end.
        """
        chosen = self._columns if names is None else names
        used = {self._columns[name][0] for name in chosen}
        chunks = {self._datasets[name].chunks for name in used}
        step = math.lcm(*(chunk[0] for chunk in chunks if chunk is not None))
        return np.append(np.arange(0, self.entries, min(step, self.entries + 1)), self.entries)

    def _type(self, name: str) -> np.dtype[Any]:
        """Return the type of one row of a column."""
        dataset, steps = self._columns[name]
        kind = self._datasets[dataset].dtype
        for step in steps:
            kind = kind[step]
        return np.dtype((kind.base, (*self._datasets[dataset].shape[1:], *kind.shape)))

    def _numbers(self, name: str) -> np.dtype[Any] | None:
        """Return the same as it is read, None where it holds no numbers."""
        kind = self._type(name)
        base = kind.base
        if base.kind not in NUMBERS:
            return None
        if base.kind == "f":
            base = np.dtype(f"f{min(max(base.itemsize, 4), 8)}")
        return np.dtype((base.newbyteorder("="), kind.shape))


def _fields(kind: np.dtype[Any]) -> Iterator[tuple[str, ...]]:
    """Yield the ways to what holds no other fields."""
    for name in kind.names or ():
        yield from ((name, *steps) for steps in _fields(kind[name]))
    if kind.names is None:
        yield ()


def _in_words(kind: np.dtype[Any]) -> str:
    return " * ".join([*map(str, kind.shape), str(kind.base)])


@contextmanager
def open_file(path: Place, tree: str | None = None) -> Iterator[Hdf5Table]:
    """Yield the datasets below the group of an HDF5 file, below all groups where none is named."""
    with ExitStack() as stack:
        with _faults_of_hdf5(path):
            content = stack.enter_context(readable(path))
            file = stack.enter_context(h5py.File(content, "r", locking="best-effort"))
            found = file if tree is None else file.get(tree)
            if not isinstance(found, h5py.Group):
                groups = ", ".join(name for name in file if isinstance(file.get(name), h5py.Group))
                there = f"groups in it: {groups}" if groups else "there is no group in it"
                raise InputError(f"{path}: no group '{tree}'; {there}")
            table = Hdf5Table(path, found)
        yield table


@contextmanager
def _faults_of_hdf5(path: Place) -> Iterator[None]:
    try:
        with faults_of_the_disk(path):
            yield
    except BROKEN as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"{path}: not a whole HDF5 file; it may be truncated or damaged: {reason}"
        ) from error
