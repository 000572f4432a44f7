"""Finding and opening ntuples; whatever is wrong with a file is said in one line."""

import difflib
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uproot
from cramjam import DecompressionError

from rootflow.errors import InputError

# What uproot and the decompressors raise where bytes are not what ROOT wrote.
BROKEN = (
    uproot.DeserializationError,
    DecompressionError,
    zlib.error,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
)


def find_files(patterns: Sequence[str], setting: str = "data.files") -> list[Path]:
    """Return the files that the paths and globs name, those of each glob in sorted order.

    Parameters
    ----------
    setting
        Where they are configured, for messages.

    Raises
    ------
    InputError
        One of them matches nothing, or there is none.
    """
    if not patterns:
        raise InputError(f"{setting}: no file is named; give paths or globs")
    found: list[Path] = []
    for pattern in patterns:
        paths = sorted(_matches(Path(pattern).expanduser()))
        if not paths:
            raise InputError(f"{setting}: '{pattern}' matches no file (seen from {Path.cwd()})")
        found += paths
    return list(dict.fromkeys(found))


def _matches(pattern: Path) -> list[Path]:
    if pattern.is_file():  # a file's name may look like a glob
        return [pattern]
    return list(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))


def read_branches(
    path: Path, tree: str | None, branches: Sequence[str], chunk_bytes: int
) -> Iterator[dict[str, Any]]:
    """Yield branches of a tree as awkward arrays, some events at a time.

    A tree without events gives arrays without events, once.

    Parameters
    ----------
    tree
        Its name; None: the only one in the file.

    Raises
    ------
    InputError
        The file is missing, empty, truncated or not ROOT; the tree or a branch is not
        there.
    """
    # A generator: what goes wrong where its chunks are used does not come by here.
    with opened(path, tree) as found:
        require_branches(path, branches, found.keys(recursive=False), f"tree '{found.name}'")
        if found.num_entries == 0:
            yield found.arrays(branches, how=dict)
        yield from found.iterate(branches, step_size=f"{chunk_bytes} B", how=dict)


def branch_names(path: Path, tree: str | None) -> list[str]:
    """Return the names of the branches of a tree; raises as `read_branches` does."""
    with opened(path, tree) as found:
        return list(found.keys(recursive=False))


def require_file(path: Path) -> None:
    """Refuse a file that is missing or empty."""
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
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
def opened(path: Path, tree: str | None) -> Iterator[Any]:
    """Yield a tree, read-only.

    What goes wrong in the block is taken for a fault of the file: do nothing else there.

    Parameters
    ----------
    tree
        Its name; None: the only one in the file.

    Raises
    ------
    InputError
        The file is missing, empty, truncated or not ROOT, or the tree is not there.
    """
    require_file(path)
    with faults_of(path), uproot.open(path, array_cache=None) as file:
        if path.stat().st_size < file.file.fEND:
            raise InputError(
                f"{path}: not a whole ROOT file; it may be truncated: {path.stat().st_size} of its "
                f"{file.file.fEND} bytes are there"
            )
        yield _find_tree(file, path, tree)


@contextmanager
def faults_of(path: Path) -> Iterator[None]:
    """Take what goes wrong in the block for a fault of the file.

    Raises
    ------
    InputError
        In one line.
    """
    try:
        yield
    except PermissionError as error:
        raise InputError(f"{path}: cannot read it: {error.strerror}") from error
    except BROKEN as error:
        raise InputError(
            f"{path}: not a whole ROOT file; it may be truncated, damaged or of another format "
            f"({type(error).__name__})"
        ) from error


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
