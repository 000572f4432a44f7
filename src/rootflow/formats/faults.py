"""What is wrong with a file of a ntuple, in one line: it, and not what reads it, is at fault."""

import difflib
import functools
import io
import struct
import traceback
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import awkward as ak
import numpy as np
import uproot
from cramjam import DecompressionError

from rootflow.errors import InputError, RootflowError
from rootflow.files import require_no_device
from rootflow.places import Place, Remote
from rootflow.places.access import status_of

# What says by itself that bytes are not what ROOT wrote.
OF_BYTES = (
    uproot.DeserializationError,
    DecompressionError,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
)
# What uproot raises, too, where it takes such bytes for something else.
MISUNDERSTOOD = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    UnboundLocalError,
    ValueError,
)
BROKEN = (*OF_BYTES, *MISUNDERSTOOD)
PACKAGE = __name__.partition(".")[0]


class DamagedError(InputError):
    """A file holds what nothing wrote so."""


class NoTreeError(InputError):
    """A file has no such tree, but it is whole; whether it has other trees, and other objects."""

    # As a worker's, it is made again of the message alone.
    def __init__(self, message: str, has_trees: bool = False, has_objects: bool = False) -> None:
        super().__init__(message)
        self.has_trees = has_trees
        self.has_objects = has_objects

    def __reduce__(self) -> tuple[Any, ...]:  # or no other process could tell this one
        return type(self), (str(self), self.has_trees, self.has_objects)


def require_file(path: Place) -> int:
    """Return the bytes of a file; one that is missing or empty, and what is no file, is refused."""
    if isinstance(path, Remote):
        size = status_of(path).bytes
    else:
        try:
            require_no_device(path)
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file") from None
        except OSError as error:
            raise InputError(f"{path}: cannot read it: {error.strerror}") from None
        if path.is_dir():
            raise InputError(f"{path}: it is a folder, not a file")
        size = path.stat().st_size
    if size == 0:
        raise InputError(f"{path}: the file is empty")
    return size


def require_branches(
    path: Place,
    branches: Sequence[str],
    there: Sequence[str],
    table: str,
    not_read: Sequence[str] = (),
) -> None:
    """Refuse a file in which one of these branches is not there, and say what is like it.

    `not_read` says of other tables, where it may be, why they are not read.
    """
    for branch in branches:
        if branch not in there:
            near = difflib.get_close_matches(branch, there, n=3)
            hint = f"near matches: {', '.join(near)}" if near else "nothing there is like it"
            hint = "; ".join([hint, *not_read])
            raise InputError(
                f"{path}: {table} has no branch '{branch}'; {hint} "
                f"(the branch map says what to read)"
            )


@contextmanager
def faults_of_the_disk(path: Place) -> Iterator[None]:
    """Take for a fault of the file what the system says while it is read in the block."""
    try:
        yield
    except MemoryError as error:
        raise RootflowError(f"{path}: there is not enough memory to read it: {error}") from error
    except OSError as error:
        if error.strerror:
            raise InputError(f"{path}: cannot read it: {error.strerror}") from error
        raise


@contextmanager
def faults_of(path: Place) -> Iterator[None]:
    """Take for a fault of the file what only a broken one makes go wrong in the block."""
    try:
        with faults_of_the_disk(path):
            yield
    except BROKEN as error:
        if not _is_of_file(error):
            raise
        raise DamagedError(
            f"{path}: not a whole ROOT file; it may be truncated, damaged or of another format "
            f"({type(error).__name__})"
        ) from error


def _is_of_file(error: BaseException) -> bool:
    """Return whether an error of reading is one that only a broken file gives.

    It is none where it was raised by this package, as a mistake in a call of uproot is, nor
    where uproot cannot read a whole file either.
    """
    if isinstance(error, OF_BYTES):
        return True
    names = [
        str(frame.f_globals.get("__name__")).partition(".")[0]
        for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    below = names[len(names) - names[::-1].index(PACKAGE) :] if PACKAGE in names else names
    return uproot.__name__ in below and _reads_a_whole_file()


def _reads_a_whole_file() -> bool:
    try:
        with uproot.open(io.BytesIO(_whole_file()), array_cache=None) as file:
            tree = file["tree"]
            arrays = tree.arrays(how=dict)
            return bool(tree.common_entry_offsets()) and ak.to_list(arrays["list"]) == [[1.0], []]
    except Exception:  # whichever: it is not that of the file that was asked for
        return False


@functools.cache
def _whole_file() -> bytes:
    content = io.BytesIO()
    with uproot.recreate(content) as file:
        tree = file.mktree("tree", {"number": "int64", "list": "var * float32"})
        tree.extend({"number": np.arange(2), "list": ak.Array([[1.0], []])})
        return content.getvalue()
