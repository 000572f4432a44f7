"""Files of ntuples, found and opened; whatever is wrong with one is said in one line."""

import difflib
import functools
import io
import re
import struct
import traceback
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import uproot
from cramjam import DecompressionError
from pyarrow import csv

from rootflow.errors import InputError, RootflowError
from rootflow.files import require_no_device

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
# Before what a compressed file may end with.
CSV_SUFFIXES = (".csv", ".csv.gz", ".csv.bz2")


def find_files(patterns: Sequence[str], setting: str = "data.files") -> list[Path]:
    """Return the files that the paths and globs name, those of each glob in sorted order.

    One that matches nothing, or none at all, is an InputError, which names the setting.
    """
    if not patterns:
        raise InputError(f"{setting}: no file is named; give paths or globs")
    found: list[Path] = []
    for pattern in patterns:
        paths = sorted(_matches(pattern, setting))
        if not paths:
            raise InputError(f"{setting}: '{pattern}' {_unmatched(pattern)}")
        for path in paths:
            try:
                str(path).encode("utf-8")
            except UnicodeEncodeError:
                raise InputError(
                    f"{setting}: {str(path)!a} has a name that is no UTF-8 text: rename it"
                ) from None
        found += paths
    return list(dict.fromkeys(found))


def _unmatched(pattern: str) -> str:
    file, colon, tree = pattern.rpartition(":")
    if colon and file.endswith(".root"):
        return f"names a tree, too: name the file alone, and in the branch map 'tree: {tree}'"
    return f"matches no file (seen from {Path.cwd()})"


def _matches(pattern: str, setting: str) -> list[Path]:
    try:
        path = Path(pattern).expanduser()
        below = path.relative_to(path.anchor)
        if path.is_file() or not below.parts:  # a file's name may look like a glob
            return [path]
        if path.parent.is_dir():  # and so may a folder's
            return list(path.parent.glob(path.name))
        return list(Path(path.anchor).glob(str(below)))
    except OSError as error:
        raise InputError(f"{setting}: '{pattern}': cannot look there: {error.strerror}") from None
    except (ValueError, RuntimeError) as error:
        # A home of nobody, or what is no glob.
        raise InputError(f"{setting}: '{pattern}' is no path or glob: {error}") from None


def read_arrays(
    path: Path,
    tree: str | None,
    branches: Sequence[str],
    chunk_bytes: int,
    integers: Collection[str] = (),
    may_lack: Collection[str] = (),
) -> Iterator[dict[str, Any]]:
    """Return branches or columns as awkward arrays, some events at a time, no arrays of none.

    A file without events gives arrays without events, once. All columns of a CSV file but the
    integers are float64, NaN where a value is missing. Those that the file may lack are left out
    where it has them not.
    """
    if is_csv(path):
        return _read_columns(path, branches, integers, chunk_bytes, may_lack)
    return _read_branches(path, tree, branches, chunk_bytes, may_lack)


def _read_branches(
    path: Path,
    tree: str | None,
    branches: Sequence[str],
    chunk_bytes: int,
    may_lack: Collection[str],
) -> Iterator[dict[str, Any]]:
    # A generator: what goes wrong where its chunks are used does not come by here.
    with open_tree(path, tree) as found, faults_of(path):
        there = found.names()
        branches = [name for name in branches if name in there or name not in may_lack]
        if not branches:
            return
        require_branches(path, branches, there, f"tree '{found.name}'")
        if found.entries == 0:
            yield found.tree.arrays(branches, how=dict)
        yield from found.tree.iterate(branches, step_size=f"{chunk_bytes} B", how=dict)


class OpenTree:
    """A tree, by its name, of so many entries; uproot's own is of a file that stays open."""

    def __init__(self, path: Path, tree: Any) -> None:
        self.path = path
        self.name: str = tree.name
        self.entries: int = tree.num_entries
        self.tree = tree

    def names(self) -> list[str]:
        """Return the names of the branches."""
        return list(self.tree.keys(recursive=False))

    def read(self, names: Sequence[str], start: int, stop: int) -> dict[str, Any]:
        """Return these branches of the entries from start to before stop, as awkward arrays."""
        require_branches(self.path, names, self.names(), f"tree '{self.name}'")
        with faults_of(self.path):
            arrays: dict[str, Any] = self.tree.arrays(
                list(names), entry_start=start, entry_stop=stop, how=dict
            )
        return arrays

    def ranges(self, entries_at_most: int) -> list[tuple[int, int]]:
        """Return all entries in ranges from start to before stop, one where there are none.

        They end where baskets of all branches end, as far as such places are near enough:
        then nothing is decompressed twice.
        """
        with faults_of(self.path):
            ends = np.asarray(self.tree.common_entry_offsets())
        ranges: list[tuple[int, int]] = []
        start = 0
        while start < self.entries or not ranges:
            furthest = start + entries_at_most
            stop = int(ends[np.searchsorted(ends, furthest, side="right") - 1])
            if stop <= start:
                stop = min(furthest, self.entries)
            ranges.append((start, stop))
            start = stop
        return ranges

    def bytes_per_entry(self) -> float:
        """Return how much one entry takes, decompressed."""
        with faults_of(self.path):
            return float(self.tree.uncompressed_bytes) / max(self.entries, 1)


def require_file(path: Path) -> None:
    """Refuse a file that is missing or empty, and what is no file."""
    try:
        require_no_device(path)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot read it: {error.strerror}") from None
    if path.is_dir():
        raise InputError(f"{path}: it is a folder, not a file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")


def require_branches(path: Path, branches: Sequence[str], there: Sequence[str], table: str) -> None:
    """Refuse a file in which one of these branches is not there, and say what is like it."""
    for branch in branches:
        if branch not in there:
            near = difflib.get_close_matches(branch, there, n=3)
            hint = f"near matches: {', '.join(near)}" if near else "nothing there is like it"
            raise InputError(
                f"{path}: {table} has no branch '{branch}'; {hint} "
                f"(the branch map says what to read)"
            )


@contextmanager
def open_tree(path: Path, tree: str | None) -> Iterator[OpenTree]:
    """Yield a tree to read from: the only one in the file where no name is given.

    A file that is missing, empty, truncated or not ROOT, or has no such tree, is an InputError.
    """
    require_file(path)
    with ExitStack() as stack:
        with faults_of(path):
            file = stack.enter_context(uproot.open(path, array_cache=None))
            if path.stat().st_size < file.file.fEND:
                raise InputError(
                    f"{path}: not a whole ROOT file; it may be truncated: {path.stat().st_size} "
                    f"of its {file.file.fEND} bytes are there"
                )
            found = OpenTree(path, _find_tree(file, path, tree))
        yield found


@contextmanager
def _faults_of_reading(path: Path) -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise RootflowError(f"{path}: there is not enough memory to read it: {error}") from error
    except OSError as error:
        if error.strerror:
            raise InputError(f"{path}: cannot read it: {error.strerror}") from error
        raise


@contextmanager
def faults_of(path: Path) -> Iterator[None]:
    """Take for a fault of the file what only a broken one makes go wrong in the block."""
    try:
        with _faults_of_reading(path):
            yield
    except BROKEN as error:
        if not _is_of_file(error):
            raise
        raise InputError(
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


def _find_tree(file: Any, path: Path, tree: str | None) -> Any:
    trees = sorted(file.keys(filter_classname="TTree", cycle=False))
    there = f"trees in it: {', '.join(trees)}" if trees else "there is no tree in it"
    if tree is None:
        if len(trees) != 1:
            raise InputError(
                f"{path}: the branch map names no tree, so the file needs exactly one; {there}"
            )
        (tree,) = trees
    if tree not in trees:
        raise InputError(f"{path}: no tree '{tree}'; {there}")
    return file[tree]


def is_csv(path: Path) -> bool:
    """Return whether a file is a CSV file, by its name."""
    return path.name.lower().endswith(CSV_SUFFIXES)


def _column_names(path: Path) -> list[str]:
    with _faults_of_csv(path), csv.open_csv(path) as reader:
        names = list(reader.schema.names)
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise InputError(f"{path}: two columns are named '{twice}': give one another name")
    return names


def _read_columns(
    path: Path,
    names: Sequence[str],
    integers: Collection[str],
    chunk_bytes: int,
    may_lack: Collection[str],
) -> Iterator[dict[str, Any]]:
    there = _column_names(path)
    names = [name for name in names if name in there or name not in may_lack]
    if not names:
        return
    require_branches(path, names, there, "the table")
    types = {name: pa.int64() if name in integers else pa.float64() for name in names}
    with (
        _faults_of_csv(path),
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
def _faults_of_csv(path: Path) -> Iterator[None]:
    require_file(path)
    try:
        with _faults_of_reading(path):
            yield
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        reason = " ".join(re.sub(r"^In CSV column #\d+: ", "", str(error)).split())
        raise InputError(
            f"{path}: not a whole CSV file of numbers with the columns' names in its first "
            f"line: {reason}"
        ) from error
