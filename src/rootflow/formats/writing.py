"""Writing files of events: tables that grow, of any format, with notes beside; and histograms."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, ClassVar, Literal

import awkward as ak
import numpy as np
import pyarrow as pa
import uproot
from numpy.typing import NDArray
from pyarrow import parquet

TREE = "events"
Format = Literal["ttree", "rntuple", "parquet"]
SUFFIXES: Mapping[Format, str] = {"ttree": ".root", "rntuple": ".root", "parquet": ".parquet"}
# Lists of the same length in each entry, by the name of the branch that counts them in a TTree.
Lists = Mapping[str, Iterable[str]]
# (n, ...) numbers by branch, and lists of numbers as awkward arrays.
Columns = Mapping[str, NDArray[np.generic] | ak.Array]
# What uproot calls lists with one counter: no branch is named so.
COUNTED_BY = "counted by "
# Of the levels and algorithms of ROOT the best in time for size: see docs/apply.md.
COMPRESSION = uproot.ZSTD(1)
# How often a tree grows where nobody knows.
USUAL_EXTENSIONS = 8
# Fewer would make a slow file of many small baskets.
PART_ENTRIES = 1_000
# In memory; each cluster and each row group has a head of its own, for every column.
PART_BYTES = 32 * 2**20


class TableWriter(ABC):
    """A table of a new file that grows.

    What it is given is held until it is worth a part of the file: baskets, a cluster, a row group.
    """

    part_bytes: ClassVar[int] = PART_BYTES

    def __init__(self) -> None:
        self._held: list[Columns] = []

    def extend(self, columns: Columns) -> None:
        """Write the next entries, all with the same columns."""
        self._held.append(columns)
        entries = sum(len(next(iter(part.values()))) for part in self._held)
        if entries >= PART_ENTRIES and self._held_bytes() >= self.part_bytes:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        if self._held:
            names = list(self._held[0])
            columns = {name: _joined([part[name] for part in self._held]) for name in names}
            self._held = []
            self._write(columns)

    @abstractmethod
    def note(self, name: str, text: str) -> None:
        """Write a text beside the table."""

    @abstractmethod
    def _write(self, columns: Columns) -> None:
        """Write a part of the file; the first one says what the columns are."""

    def _held_bytes(self) -> int:
        if not self.part_bytes:
            return 0
        # A slice would be counted, and kept, as the whole that it is of.
        self._held[-1] = {name: _packed(column) for name, column in self._held[-1].items()}
        return sum(column.nbytes for part in self._held for column in part.values())


class TreeWriter(TableWriter):
    """A TTree, and how often it will grow; the branches that count lists are written with them."""

    part_bytes: ClassVar[int] = 0

    def __init__(self, file: Any, tree: str, title: str, lists: Lists, extensions: int) -> None:
        super().__init__()
        self._file, self._tree, self._title = file, tree, title
        self._lists, self._extensions = lists, extensions
        self._written: Any = None

    def note(self, name: str, text: str) -> None:
        """Write a TObjString."""
        self._file[name] = text

    def _write(self, columns: Columns) -> None:
        listed = {name for group in self._lists.values() for name in group}
        branches = {name: column for name, column in columns.items() if name not in listed}
        branches |= {
            COUNTED_BY + counter: ak.zip({name: columns[name] for name in group})
            for counter, group in self._lists.items()
        }
        if self._written is None:
            self._written = self._file.mktree(
                self._tree,
                _types(branches),
                title=self._title,
                counter_name=_counter,
                field_name=lambda _, inner: inner,
                # Room for all baskets: else the head of the tree is written anew as it fills.
                initial_basket_capacity=self._extensions + 2,
            )
        if len(next(iter(branches.values()))):
            self._written.extend(branches)


class NTupleWriter(TableWriter):
    """An RNTuple."""

    def __init__(self, file: Any, name: str, title: str) -> None:
        super().__init__()
        self._file, self._name, self._title = file, name, title
        self._written: Any = None

    def note(self, name: str, text: str) -> None:
        """Write a TObjString."""
        self._file[name] = text

    def _write(self, columns: Columns) -> None:
        if self._written is None:
            self._written = self._file.mkrntuple(self._name, _types(columns), self._title)
        if len(next(iter(columns.values()))):
            self._written.extend(dict(columns))


class ParquetWriter(TableWriter):
    """A Parquet file; notes are in its metadata, and in its schema's where they come first."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._notes: dict[str, str] = {}
        self._written: parquet.ParquetWriter | None = None

    def note(self, name: str, text: str) -> None:
        """Have a text in the metadata."""
        self._notes[name] = text

    def close(self) -> None:
        """End the file."""
        if self._written is not None:
            self._written.add_key_value_metadata(self._notes)
            self._written.close()

    def _write(self, columns: Columns) -> None:
        arrays = {
            name: ak.to_arrow(column, list_to32=True, extensionarray=False)
            for name, column in columns.items()
        }
        schema = pa.schema(
            [pa.field(name, array.type, nullable=False) for name, array in arrays.items()],
            self._notes,
        )
        if self._written is None:
            self._written = parquet.ParquetWriter(
                self._path,
                schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=False,  # of floats it makes files larger by half, and slower
                write_page_checksum=True,
            )
            self._notes = {}
        self._written.write_table(pa.table(arrays, self._written.schema))


@contextmanager
def table_writer(
    path: Path,
    file_format: Format,
    tree: str = TREE,
    title: str = "",
    lists: Lists | None = None,
    extensions: int = USUAL_EXTENSIONS,
) -> Iterator[TableWriter]:
    """Yield a writer of a table in a new file, which will be extended about so often.

    A Parquet file has neither a name for its table nor a title.
    """
    with ExitStack() as stack:
        writer: TableWriter
        if file_format == "parquet":
            writer = ParquetWriter(path)
            stack.callback(writer.close)
        else:
            file = stack.enter_context(uproot.recreate(path, compression=COMPRESSION))
            writer = (
                TreeWriter(file, tree, title, lists or {}, extensions)
                if file_format == "ttree"
                else NTupleWriter(file, tree, title)
            )
        yield writer
        writer.flush()


def write_histograms(path: Path, histograms: Mapping[str, Any]) -> None:
    """Write histograms of `hist` to a new ROOT file, by their names; `/` makes directories."""
    with uproot.recreate(path) as file:
        for name, histogram in histograms.items():
            file[name] = histogram


def _types(columns: Columns) -> dict[str, Any]:
    return {name: ak.type(column).content for name, column in columns.items()}


def _counter(counted: str) -> str:
    """Return the name of the branch that counts lists, a new one where none is given."""
    name = counted.removeprefix(COUNTED_BY)
    return f"n{name}" if name == counted else name


def _packed(column: Any) -> Any:
    if isinstance(column, np.ndarray):
        return np.ascontiguousarray(column)
    return ak.Array(ak.to_packed(column).layout.to_ListOffsetArray64())


def _joined(arrays: Sequence[Any]) -> Any:
    if len(arrays) == 1:
        return arrays[0]
    return (np if isinstance(arrays[0], np.ndarray) else ak).concatenate(arrays)
