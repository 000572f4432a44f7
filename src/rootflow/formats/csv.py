"""CSV files, with the names of their columns in the first line."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv

from rootflow.errors import InputError
from rootflow.formats.batches import BatchedTable
from rootflow.formats.faults import faults_of_the_disk, require_branches, require_file
from rootflow.formats.table import WHOLE, Column, Share
from rootflow.places import Place
from rootflow.places.access import readable

# Before what a compressed file may end with.
SUFFIXES = (".csv", ".csv.gz", ".csv.bz2")
COMPRESSIONS = {".gz": "gzip", ".bz2": "bz2"}
# Of text that is read at once.
BLOCK_BYTES = 8 * 2**20
NUMBER_BYTES = 8


class CsvTable(BatchedTable):
    """A CSV file; its columns are float64, NaN where a value is missing, but for the integers.

    It is read from its beginning on: ranges that do not follow each other read it again.
    """

    name = "events"
    called = "the table"

    def __init__(self, path: Place, integers: Collection[str] = ()) -> None:
        super().__init__()
        self.path = path
        self._integers = integers
        with _faults_of_csv(path), _opened(path) as reader:
            self._names = list(reader.schema.names)
        names = self._names
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise InputError(f"{path}: two columns are named '{twice}': give one another name")
        self._entries: int | None = None

    @property
    def entries(self) -> int:
        """How many entries there are, which the whole file tells."""
        if self._entries is None:
            self._entries = sum(map(len, self._read(self._names[:1])))
        return self._entries

    def names(self) -> list[str]:
        """Return the names of the columns."""
        return self._names

    def chunks(
        self, names: Sequence[str], chunk_bytes: int, share: Share = WHOLE
    ) -> Iterator[tuple[int, Any]]:
        """Yield first entries, and `read` from each on as much as is so many bytes of text.

        The first share is all of it: a later one would have to read what is before it, too.
        """
        require_branches(self.path, names, self._names, self.called)
        start = 0
        for batch in self._read(names, chunk_bytes) if names and share.place == 0 else ():
            yield start, self._arrays(batch, names, start)
            start += len(batch)

    def columns(self, names: Collection[str]) -> dict[str, Column]:
        """Return what these columns are, in the order of the file."""
        return {
            name: Column(str(kind), np.dtype(kind.to_pandas_dtype()), in_lists=False)
            for name, kind in self._types(self._names).items()
            if name in names
        }

    def bytes_per_entry(self, names: Collection[str] | None = None) -> float:
        """Return how much one entry takes in memory, of these columns or of all."""
        return NUMBER_BYTES * len(self._names if names is None else names)

    def ends(self, names: Collection[str] | None = None) -> NDArray[np.int64]:  # noqa: ARG002
        """Return where entries can be parted: everywhere, as they are read in their order."""
        return np.arange(self.entries + 1)

    def _place(self, start: int) -> int:  # noqa: ARG002
        return 0

    def _batches_from(self, names: Sequence[str], place: int) -> Iterator[pa.RecordBatch]:  # noqa: ARG002
        return self._read(names)

    def _none_of(self, names: Sequence[str]) -> pa.Table:
        return pa.schema(self._types(names)).empty_table()

    def _arrays(
        self,
        columns: pa.RecordBatch | pa.Table,
        names: Sequence[str],
        first: int,  # noqa: ARG002
    ) -> dict[str, Any]:
        return {name: ak.from_numpy(np.asarray(columns[name])) for name in names}

    def _types(self, names: Sequence[str]) -> dict[str, pa.DataType]:
        return {name: pa.int64() if name in self._integers else pa.float64() for name in names}

    def _read(
        self, names: Sequence[str], block_bytes: int = BLOCK_BYTES
    ) -> Iterator[pa.RecordBatch]:
        """Yield these columns of all entries, some at a time; without entries none of them once."""
        options = {
            "read_options": csv.ReadOptions(block_size=block_bytes),
            "convert_options": csv.ConvertOptions(
                include_columns=names, column_types=self._types(names)
            ),
        }
        with _faults_of_csv(self.path), _opened(self.path, **options) as reader:
            rows = 0
            for batch in reader:
                rows += batch.num_rows
                yield batch
            if not rows:
                yield from reader.schema.empty_table().to_batches() or [
                    pa.RecordBatch.from_pylist([], schema=reader.schema)
                ]


@contextmanager
def _opened(path: Place, **options: Any) -> Iterator[csv.CSVStreamingReader]:
    with readable(path) as file:
        stream = pa.input_stream(file, compression=COMPRESSIONS.get(path.suffix.lower()))
        with csv.open_csv(stream, **options) as reader:
            yield reader


@contextmanager
def _faults_of_csv(path: Place) -> Iterator[None]:
    require_file(path)
    try:
        with faults_of_the_disk(path):
            yield
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        reason = " ".join(re.sub(r"^In CSV column #\d+: ", "", str(error)).split())
        raise InputError(
            f"{path}: not a whole CSV file of numbers with the columns' names in its first "
            f"line: {reason}"
        ) from error
