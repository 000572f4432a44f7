"""Finding and opening ntuples; whatever is wrong with a file is said in one line."""

import difflib
import struct
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import uproot
from cramjam import DecompressionError

from rootflow.errors import InputError
from rootflow.ntuple.branch_map import BranchMap

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


def find_files(patterns: Sequence[str]) -> list[Path]:
    """Return the files that the paths and globs name, those of each glob in sorted order.

    Raises
    ------
    InputError
        One of them matches nothing, or there is none.
    """
    if not patterns:
        raise InputError("data.files: no file is named; give paths or globs of ROOT files")
    found: list[Path] = []
    for pattern in patterns:
        paths = sorted(_matches(Path(pattern).expanduser()))
        if not paths:
            raise InputError(f"data.files: '{pattern}' matches no file (seen from {Path.cwd()})")
        found += paths
    return list(dict.fromkeys(found))


def _matches(pattern: Path) -> list[Path]:
    if pattern.is_file():  # a file's name may look like a glob
        return [pattern]
    return list(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))


def read_branches(path: Path, branch_map: BranchMap, chunk_bytes: int) -> Iterator[dict[str, Any]]:
    """Yield the branches that a map names, as awkward arrays, some events at a time.

    A tree without events gives arrays without events, once.

    Raises
    ------
    InputError
        The file is missing, empty, truncated or not ROOT; the tree or a branch is not
        there.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    # A generator: what goes wrong where its chunks are used does not come by here.
    try:
        with uproot.open(path, array_cache=None) as file:
            tree = _find_tree(file, path, branch_map)
            branches = branch_map.branches()
            if tree.num_entries == 0:
                yield tree.arrays(branches, how=dict)
            yield from tree.iterate(branches, step_size=f"{chunk_bytes} B", how=dict)
    except PermissionError as error:
        raise InputError(f"{path}: cannot read it: {error.strerror}") from error
    except BROKEN as error:
        raise InputError(
            f"{path}: not a whole ROOT file; it may be truncated, damaged or of another format "
            f"({type(error).__name__})"
        ) from error


def _find_tree(file: Any, path: Path, branch_map: BranchMap) -> Any:
    trees = sorted(file.keys(filter_classname="TTree", cycle=False))
    if branch_map.tree not in trees:
        there = f"trees in it: {', '.join(trees)}" if trees else "there is no tree in it"
        raise InputError(f"{path}: no tree '{branch_map.tree}'; {there}")
    tree = file[branch_map.tree]
    there = tree.keys(recursive=False)
    for branch in branch_map.branches():
        if branch not in there:
            near = difflib.get_close_matches(branch, there, n=3)
            hint = f"near matches: {', '.join(near)}" if near else "nothing there is like it"
            raise InputError(
                f"{path}: tree '{branch_map.tree}' has no branch '{branch}'; {hint} "
                f"(the branch map says what to read)"
            )
    return tree
