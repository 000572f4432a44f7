"""Arrays on disk that grow event by event, and are mapped into memory when read."""

import math
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.manifest import Array
from rootflow.errors import InputError
from rootflow.files import NO_ARRAY

SUFFIX = ".npy"
EVENTS_AT_ONCE = 100_000


class ArrayWriter:
    """A .npy file to which events are appended.

    numpy leaves room in the header for the first axis to grow, so the header is written
    again, with the final shape, at the end.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any], event_shape: tuple[int, ...]) -> None:
        self.dtype = dtype
        self.event_shape = event_shape
        self.events = 0
        self._file = path.open("w+b")
        self._write_header()
        self._first = self._file.tell()

    def append(self, array: NDArray[Any]) -> None:
        """Write the next events."""
        self._file.write(np.ascontiguousarray(array, dtype=self.dtype).data)
        self.events += len(array)

    def keep(self, left: NDArray[np.bool_]) -> None:
        """Leave only some of the events written so far, (events,) True for each of them."""
        row = np.dtype((np.void, self.dtype.itemsize * math.prod(self.event_shape)))
        events = self.events
        self.events = 0
        for start in range(0, events, EVENTS_AT_ONCE):
            kept = left[start : start + EVENTS_AT_ONCE]
            if row.itemsize:
                self._file.seek(self._first + start * row.itemsize)
                rows = np.frombuffer(self._file.read(len(kept) * row.itemsize), row)[kept]
                self._file.seek(self._first + self.events * row.itemsize)
                self._file.write(rows.tobytes())
            self.events += int(kept.sum())
        self._file.truncate(self._first + self.events * row.itemsize)
        self._file.seek(0, os.SEEK_END)

    def close(self) -> None:
        """Write the final shape."""
        with self._file:
            self._file.seek(0)
            self._write_header()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape so far."""
        return (self.events, *self.event_shape)

    def _write_header(self) -> None:
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self.dtype),
                "fortran_order": False,
                "shape": self.shape,
            },
        )


class ArrayWriters(ExitStack):
    """The arrays of a dataset, made when the first events come, and closed with it."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.writers: dict[str, ArrayWriter] = {}

    def append(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Write the next events to each array."""
        for name, array in arrays.items():
            if name not in self.writers:
                path = self.directory / (name + SUFFIX)
                self.writers[name] = ArrayWriter(path, array.dtype, array.shape[1:])
                self.callback(self.writers[name].close)
            self.writers[name].append(array)


def map_array(directory: Path, name: str, expected: Array) -> NDArray[Any]:
    """Return an array of a dataset, read from disk when it is looked at."""
    path = directory / (name + SUFFIX)
    again = f"remove {directory} and run preprocess again"
    try:
        if 0 in expected.shape and path.is_file():  # nothing to map
            return np.empty(expected.shape, expected.dtype)
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise InputError(f"{path}: cannot read the array: {error.strerror}: {again}") from None
    except NO_ARRAY:
        raise InputError(f"{path}: the array is truncated or damaged: {again}") from None
    if (array.dtype.str, array.shape) != (expected.dtype, expected.shape):
        raise InputError(
            f"{path}: the array is {array.dtype.str}{array.shape}, the manifest says "
            f"{' '.join(expected.dtype.split())}{expected.shape}: {again}"
        )
    return array
