"""Columns of CSV files, some rows at a time."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
from pyarrow import csv

from rootflow.errors import InputError, RootflowError
from rootflow.ntuple.opening import require_branches, require_file

# Before what a compressed file may end with.
CSV_SUFFIXES = (".csv", ".csv.gz", ".csv.bz2")


def is_csv(path: Path) -> bool:
    """Return whether a file is a CSV file, by its name."""
    return path.name.lower().endswith(CSV_SUFFIXES)


def column_names(path: Path) -> list[str]:
    """Return the names in the first line, each of which must be another."""
    with _readable(path), csv.open_csv(path) as reader:
        names = list(reader.schema.names)
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise InputError(f"{path}: two columns are named '{twice}': give one another name")
    return names


def read_columns(
    path: Path, names: Sequence[str], integers: Collection[str], chunk_bytes: int
) -> Iterator[dict[str, Any]]:
    """Yield columns as awkward arrays, some rows at a time; a value that is missing is NaN.

    A table without rows gives arrays without events, once. All columns but the integers are
    float64.
    """
    require_branches(path, names, column_names(path), "the table")
    types = {name: pa.int64() if name in integers else pa.float64() for name in names}
    with (
        _readable(path),
        csv.open_csv(
            path,
            read_options=csv.ReadOptions(block_size=chunk_bytes),
            convert_options=csv.ConvertOptions(include_columns=names, column_types=types),
        ) as reader,
    ):
        rows = 0
        for batch in reader:
            rows += batch.num_rows
            yield _arrays(batch)
        if not rows:
            yield _arrays(reader.schema.empty_table())


def _arrays(columns: pa.RecordBatch | pa.Table) -> dict[str, Any]:
    named = zip(columns.schema.names, columns.columns, strict=True)
    return {name: ak.from_numpy(np.asarray(column)) for name, column in named}


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    require_file(path)
    try:
        yield
    except MemoryError as error:
        raise RootflowError(f"{path}: there is not enough memory to read it: {error}") from error
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.strerror:
            raise InputError(f"{path}: cannot read it: {error.strerror}") from error
        reason = " ".join(re.sub(r"^In CSV column #\d+: ", "", str(error)).split())
        raise InputError(
            f"{path}: not a whole CSV file of numbers with the columns' names in its first "
            f"line: {reason}"
        ) from error
