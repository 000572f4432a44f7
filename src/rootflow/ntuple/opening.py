"""Files of ntuples, found and opened; whatever is wrong with one is said in one line."""

import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pyarrow as pa
import uproot
from pyarrow import csv

from rootflow.errors import InputError
from rootflow.ntuple.faults import faults_of, faults_of_the_disk, require_branches, require_file
from rootflow.ntuple.trees import OpenNTuple, OpenTree

# Before what a compressed file may end with.
CSV_SUFFIXES = (".csv", ".csv.gz", ".csv.bz2")
# By the names of ROOT's classes.
KINDS = {"TTree": OpenTree, "ROOT::RNTuple": OpenNTuple}


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
    # A generator: what goes wrong where its chunks are used does not come by here.
    with _OpenCsv(path, integers) if is_csv(path) else open_tree(path, tree) as found:
        there = found.names()
        branches = [name for name in branches if name in there or name not in may_lack]
        if branches:
            require_branches(path, branches, there, found.called)
            yield from found.chunks(branches, chunk_bytes)


@contextmanager
def open_tree(path: Path, tree: str | None) -> Iterator[OpenTree]:
    """Yield a TTree or RNTuple to read from: the only one in the file where no name is given.

    A file that is missing, empty, truncated or not ROOT, or has none such, is an InputError.
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
            found = _find_tree(file, path, tree)
        yield found


def _find_tree(file: Any, path: Path, tree: str | None) -> OpenTree:
    classes = file.classnames(filter_classname=[*KINDS], cycle=False)
    trees = sorted(classes)
    there = f"trees in it: {', '.join(trees)}" if trees else "there is no tree in it"
    if tree is None:
        if len(trees) != 1:
            raise InputError(
                f"{path}: the branch map names no tree, so the file needs exactly one; {there}"
            )
        (tree,) = trees
    if tree not in trees:
        raise InputError(f"{path}: no tree '{tree}'; {there}")
    return KINDS[classes[tree]](path, file[tree])


def is_csv(path: Path) -> bool:
    """Return whether a file is a CSV file, by its name."""
    return path.name.lower().endswith(CSV_SUFFIXES)


class _OpenCsv(nullcontext["_OpenCsv"]):
    """Columns of a CSV file, by the names in its first line."""

    called = "the table"

    def __init__(self, path: Path, integers: Collection[str]) -> None:
        super().__init__(self)
        self.path = path
        self.integers = integers

    def names(self) -> list[str]:
        with _faults_of_csv(self.path), csv.open_csv(self.path) as reader:
            names = list(reader.schema.names)
        twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
        if twice is not None:
            raise InputError(f"{self.path}: two columns are named '{twice}': give one another name")
        return names

    def chunks(self, names: Sequence[str], chunk_bytes: int) -> Iterator[dict[str, Any]]:
        types = {name: pa.int64() if name in self.integers else pa.float64() for name in names}
        options = {
            "read_options": csv.ReadOptions(block_size=chunk_bytes),
            "convert_options": csv.ConvertOptions(include_columns=names, column_types=types),
        }
        with _faults_of_csv(self.path), csv.open_csv(self.path, **options) as reader:
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
        with faults_of_the_disk(path):
            yield
    except (pa.ArrowInvalid, OSError, UnicodeDecodeError) as error:
        reason = " ".join(re.sub(r"^In CSV column #\d+: ", "", str(error)).split())
        raise InputError(
            f"{path}: not a whole CSV file of numbers with the columns' names in its first "
            f"line: {reason}"
        ) from error
