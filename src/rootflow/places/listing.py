"""Globs of files of servers: of whatever can list its files."""

import re
from collections.abc import Iterator, Sequence
from fnmatch import translate
from itertools import product
from urllib.parse import unquote

from rootflow.errors import InputError
from rootflow.places.access import ask
from rootflow.places.place import HTTP, Remote

MAGIC = re.compile(r"[*?\[{]")
ALTERNATIVES = re.compile(r"\{([^{}]*)\}")
ANY_FOLDERS = "**"


def matches_of(pattern: Remote, setting: str) -> list[Remote]:
    """Return the files that a URL or a glob of URLs names, in sorted order.

    Where none does it is an InputError, which names the setting; a URL that is no glob is not
    asked for. Over http a question mark is no part of a glob: the query follows it.
    """
    if not MAGIC.search(pattern.path):
        return [pattern]
    found: set[Remote] = set()
    for path in _alternatives(pattern.path):
        parts = path.split("/")
        magic = next((place for place, part in enumerate(parts) if MAGIC.search(part)), None)
        if magic is None:
            found.add(pattern.with_path(path))
            continue
        try:
            found.update(_below(pattern.with_path("/".join([*parts[:magic], ""])), parts[magic:]))
        except InputError as error:
            raise InputError(f"{setting}: '{pattern}': cannot look there: {error}") from None
    if not found:
        index = ": over http its folder needs an index page" if pattern.protocol in HTTP else ""
        raise InputError(f"{setting}: '{pattern}' matches no file{index}")
    return sorted(found)


def _alternatives(path: str) -> list[str]:
    """Return the path with each of what stands in braces."""
    texts, choices = ALTERNATIVES.split(path)[::2], ALTERNATIVES.split(path)[1::2]
    chosen = product(*(choice.split(",") for choice in choices))
    return ["".join(map("".join, zip(texts, [*each, ""], strict=True))) for each in chosen]


def _below(folder: Remote, parts: Sequence[str]) -> Iterator[Remote]:
    """Yield the files below a folder whose names match the parts of a glob."""
    if not parts:
        yield folder
        return
    first, *rest = parts
    if first == ANY_FOLDERS:
        yield from _below(folder, rest or ["*"])
    matches = re.compile(translate(unquote(first) if folder.protocol in HTTP else first)).match
    for name, is_folder in _children(folder):
        if first == ANY_FOLDERS:
            if is_folder:
                yield from _below(folder / name, parts)
        elif is_folder == bool(rest) and matches((folder / name).name):
            yield from _below(folder / name, rest)


def _children(folder: Remote) -> Iterator[tuple[str, bool]]:
    """Yield the name of each thing in a folder, and whether it is a folder."""
    listed = folder / ""
    for entry in ask(listed, lambda client, path: client.ls(path, detail=True)):
        name = str(entry["name"]).rstrip("/")
        if folder.protocol in HTTP:
            base = listed.url.removesuffix(listed.query)
            if not name.startswith(base):
                continue
            name = name.removeprefix(base)
            if re.search(r"[/?#]", name):  # a link to elsewhere, or to the page in another order
                continue
        name = name.rpartition("/")[2]
        if name:
            yield name, entry["type"] == "directory"
