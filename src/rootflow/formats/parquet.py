"""Parquet files, with nested columns by names with dots."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from rootflow.errors import InputError
from rootflow.formats.arrow import numbers_of
from rootflow.formats.batches import BatchedTable
from rootflow.formats.faults import faults_of_the_disk
from rootflow.formats.table import Column
from rootflow.places import Place
from rootflow.places.access import readable

MAGIC = b"PAR1"
SUFFIXES = (".parquet", ".pq")
# What is decoded at once: a row group may hold all entries of a file.
ROWS_AT_ONCE = 16_384
OFFSET_BYTES = 8


class _Leaf(NamedTuple):
    """A column that holds no other ones: the way to it, its type, and the column of the file.

    The lists it is in, from the outermost, have the given lengths, None where each has its own.
    """

    steps: tuple[str, ...]
    lists: tuple[int | None, ...]
    type: pa.DataType
    path: str = ""

    @property
    def name(self) -> str:
        return ".".join(self.steps)

    @property
    def numbers(self) -> np.dtype[Any] | None:
        """The type of its numbers as they are read, None where it holds none."""
        kind = self.type
        if pa.types.is_float16(kind):
            return np.dtype(np.float32)
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        is_number |= pa.types.is_boolean(kind)
        return np.dtype(kind.to_pandas_dtype()) if is_number else None

    def in_words(self) -> str:
        """Return the type, with the lists that it is in."""
        lengths = ("list of" if length is None else f"{length} *" for length in self.lists)
        return " ".join([*lengths, str(self.type)])


class ParquetTable(BatchedTable):
    """A Parquet file: columns within others are named OUTER.INNER, in lists or not.

    Columns that may lack values are read as others are, as long as none is missing.
    """

    name = "events"
    called = "the table"

    def __init__(self, path: Place, file: parquet.ParquetFile) -> None:
        super().__init__()
        self.path = path
        self._file = file
        with _faults_of_parquet(path):
            columns = [file.schema.column(place).path for place in range(len(file.schema))]
            leaves = [leaf for field in file.schema_arrow for leaf in _leaves(field)]
            if self.ends()[-1] != self.entries:
                raise pa.ArrowInvalid(f"row groups have {self.ends()[-1]} of {self.entries} rows")
        self._leaves = {
            leaf.name: leaf._replace(path=column)
            for leaf, column in zip(leaves, columns, strict=True)
        }
        if len(self._leaves) < len(leaves):
            names = [leaf.name for leaf in leaves]
            twice = next(name for place, name in enumerate(names) if name in names[:place])
            raise InputError(f"{path}: two columns are named '{twice}': give one another name")

    @property
    def entries(self) -> int:
        """How many entries there are."""
        return int(self._file.metadata.num_rows)

    def names(self) -> list[str]:
        """Return the names of the columns that hold no other ones."""
        return list(self._leaves)

    def columns(self, names: Collection[str]) -> dict[str, Column]:
        """Return what these columns are, in the order of the file."""
        found = {}
        for name, leaf in self._leaves.items():
            if name in names:
                in_lists = leaf.lists[:1] == (None,)
                inner = leaf.lists[1:] if in_lists else leaf.lists
                numbers = None if None in inner else leaf.numbers
                shape = tuple(length for length in inner if length is not None)
                found[name] = Column(
                    leaf.in_words(), numbers and np.dtype((numbers, shape)), in_lists
                )
        return found

    def bytes_per_entry(self, names: Collection[str] | None = None) -> float:
        """Return how much one entry takes in memory, of these columns or of all."""
        total = 0.0
        metadata = self._file.metadata
        for place, leaf in enumerate(self._leaves.values()):
            if names is None or leaf.name in names:
                chunks = (metadata.row_group(group).column(place) for group in self._groups)
                for chunk in chunks:
                    numbers = leaf.numbers
                    total += (
                        chunk.total_uncompressed_size
                        if numbers is None
                        else chunk.num_values * numbers.itemsize
                    )
                total += OFFSET_BYTES * leaf.lists.count(None) * self.entries
        return total / max(self.entries, 1)

    def ends(self, names: Collection[str] | None = None) -> NDArray[np.int64]:  # noqa: ARG002
        """Return where row groups end, which are those of all columns."""
        counts = [self._file.metadata.row_group(group).num_rows for group in self._groups]
        return np.cumsum([0, *counts])

    @property
    def _groups(self) -> range:
        return range(self._file.metadata.num_row_groups)

    def _paths(self, names: Sequence[str]) -> list[str]:
        return [self._leaves[name].path for name in names]

    def _place(self, start: int) -> int:
        ends = self.ends()
        return int(ends[np.searchsorted(ends, start, side="right") - 1])

    def _batches_from(self, names: Sequence[str], place: int) -> Iterator[pa.RecordBatch]:
        group = int(np.searchsorted(self.ends(), place))
        with _faults_of_parquet(self.path):
            for batch in self._file.iter_batches(
                ROWS_AT_ONCE, [*self._groups[group:]], self._paths(names)
            ):
                yield batch
                place += len(batch)
            if place < self.entries:
                raise pa.ArrowInvalid(f"{place} of {self.entries} entries are there")

    def _none_of(self, names: Sequence[str]) -> pa.Table:
        for name in names:
            if self._leaves[name].numbers is None:
                raise InputError(
                    f"{self.path}: branch '{name}' is {self._leaves[name].in_words()}, which is "
                    "no number: write it as integers, float32 or float64"
                )
        with _faults_of_parquet(self.path):
            return self._file.read_row_groups([], self._paths(names))

    def _arrays(self, columns: pa.Table, names: Sequence[str], first: int) -> dict[str, Any]:
        found = {}
        for name in names:
            outer, *inner = self._leaves[name].steps
            found[name] = numbers_of(self.path, name, columns[outer], inner, first)
        return found


def _leaves(
    field: pa.Field, steps: tuple[str, ...] = (), lists: tuple[int | None, ...] = ()
) -> Iterator[_Leaf]:
    """Yield the columns within a field, in the order of the file's own columns."""
    yield from _leaves_of(field.type, (*steps, field.name), lists)


def _leaves_of(
    kind: pa.DataType, steps: tuple[str, ...], lists: tuple[int | None, ...]
) -> Iterator[_Leaf]:
    if isinstance(kind, pa.BaseExtensionType):
        yield from _leaves_of(kind.storage_type, steps, lists)
    elif pa.types.is_dictionary(kind):
        yield from _leaves_of(kind.value_type, steps, lists)
    elif pa.types.is_struct(kind):
        for place in range(kind.num_fields):
            yield from _leaves(kind.field(place), steps, lists)
    elif pa.types.is_map(kind):
        yield from (_Leaf((*steps, side), lists, kind) for side in ("key", "value"))
    elif pa.types.is_fixed_size_list(kind):
        yield from _leaves_of(kind.value_type, steps, (*lists, kind.list_size))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        yield from _leaves_of(kind.value_type, steps, (*lists, None))
    else:
        yield _Leaf(steps, lists, kind)


@contextmanager
def open_file(path: Place, tree: str | None = None) -> Iterator[ParquetTable]:  # noqa: ARG001
    """Yield the one table of a Parquet file, whatever a branch map says of trees."""
    with readable(path) as content:
        with _faults_of_parquet(path):
            file = parquet.ParquetFile(content, page_checksum_verification=True)
        with file:
            yield ParquetTable(path, file)


@contextmanager
def _faults_of_parquet(path: Place) -> Iterator[None]:
    try:
        with faults_of_the_disk(path):
            yield
    except (pa.ArrowException, OSError) as error:
        reason = " ".join(re.sub(r"\(.*", "", str(error), flags=re.DOTALL).split())
        raise InputError(
            f"{path}: not a whole Parquet file; it may be truncated or damaged: {reason}"
        ) from error
