"""Files that paths, URLs and globs name."""

from collections.abc import Sequence
from pathlib import Path

from rootflow.errors import InputError
from rootflow.places import Place, Remote, place_of
from rootflow.places.listing import matches_of


def find_files(patterns: Sequence[str], setting: str = "data.files") -> list[Place]:
    """Return the files that paths, URLs and globs of both name, those of each glob in sorted order.

    One that matches nothing, or none at all, is an InputError, which names the setting.
    """
    if not patterns:
        raise InputError(f"{setting}: no file is named; give paths, URLs or globs")
    found: list[Place] = []
    for pattern in patterns:
        named = place_of(pattern, setting)
        if isinstance(named, Remote):
            if with_tree := _with_tree(named.path):
                raise InputError(f"{setting}: '{named}' {with_tree}")
            found += matches_of(named, setting)
            continue
        paths = sorted(_matches(str(named), setting))
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


def _with_tree(name: str) -> str:
    """Return what is wrong with the name of a file that goes on with that of a tree."""
    file, colon, tree = name.rpartition(":")
    if not (colon and file.endswith(".root")):
        return ""
    return f"names a tree, too: name the file alone, and in the branch map 'tree: {tree}'"


def _unmatched(pattern: str) -> str:
    return _with_tree(pattern) or f"matches no file (seen from {Path.cwd()})"


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
