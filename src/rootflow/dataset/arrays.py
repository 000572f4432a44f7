"""Arrays on disk that grow event by event, and are mapped into memory when read."""

import io
import math
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.manifest import Array
from rootflow.errors import InputError, RootflowError
from rootflow.files import NO_ARRAY

SUFFIX = ".npy"
EVENTS_AT_ONCE = 100_000


class ArrayWriter:
    """A .npy file into which events are written at their places, by one process or by several.

    numpy leaves room in the header for the first axis to grow, so its size is known before. One
    process writes it, with the final shape, at the end.
    """

    def __init__(self, path: Path, dtype: np.dtype[Any], event_shape: tuple[int, ...]) -> None:
        self._path = path
        self.dtype = dtype
        self.event_shape = event_shape
        self.events = 0
        self._first = len(header(self.dtype, self.shape))
        self._row = np.dtype((np.void, dtype.itemsize * math.prod(event_shape)))
        path.touch()  # what another process has written there stays
        self._file = path.open("r+b")

    def write(self, array: NDArray[Any], stop: int) -> None:
        """Write events, the last of them before the place `stop`."""
        if (array.dtype, array.shape[1:]) != (self.dtype, self.event_shape):
            raise RootflowError(
                f"{self._path.name}: events of {array.dtype}{array.shape[1:]} after others of "
                f"{self.dtype}{self.event_shape}: a reading must give the same for all"
            )
        start = stop - len(array)
        self._file.seek(self._first + start * self._row.itemsize)
        self._file.write(np.ascontiguousarray(array).data)
        self._file.flush()
        self.events = stop

    def keep(self, left: NDArray[np.bool_]) -> None:
        """Leave only some of the events written so far, (events,) True for each of them."""
        row = self._row
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

    def close(self) -> None:
        """Write the final shape."""
        with self._file:
            self._file.seek(0)
            self._file.write(header(self.dtype, self.shape))

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape so far."""
        return (self.events, *self.event_shape)


def header(dtype: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    """Return how a .npy file begins; for any number of events it is of the same size."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file,
        {
            "descr": np.lib.format.dtype_to_descr(dtype),
            "fortran_order": False,
            "shape": shape,
        },
    )
    return file.getvalue()


class ArrayWriters(ExitStack):
    """The arrays of a dataset, made when the first events come, and closed with it."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.directory = directory
        self.writers: dict[str, ArrayWriter] = {}

    def write(self, arrays: Mapping[str, NDArray[Any]], stop: int) -> None:
        """Write events to each array, the last of them before the place `stop`."""
        for name, array in arrays.items():
            if name not in self.writers:
                path = self.directory / (name + SUFFIX)
                self.writers[name] = ArrayWriter(path, array.dtype, array.shape[1:])
                self.callback(self.writers[name].close)
            self.writers[name].write(array, stop)


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
