"""Whose events a file holds: notes of `apply`, and files that are told apart wherever they lie."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from rootflow.errors import InputError
from rootflow.formats.faults import faults_of, faults_of_the_disk, require_file
from rootflow.formats.parquet import MAGIC as PARQUET
from rootflow.formats.root_files import open_root
from rootflow.places import Place
from rootflow.places.access import open_binary, readable

ROOT = b"root\x00"  # no text begins so
NOTE = "rootflow_apply"
# In the note: the files whose events these are, by their identities.
SOURCES = "sources"
# And of a friend the one whose entries it has, one to one.
FRIEND_OF = "friend_of"
# Of a file that has no UUID of its own: where formats have their heads and their tables of content.
END_BYTES = 2**20


def read_applied(path: Place) -> dict[str, Any] | None:
    """Return what `apply` noted in a file, None where it did not write it or there is none."""
    try:
        text = _note_of(path)
        note = None if text is None else json.loads(text)
    except InputError:
        return None
    except ValueError:
        return {}
    return note if isinstance(note, dict) or note is None else {}


def identity_of(path: Place) -> str:
    """Return what tells a file from others: ROOT's UUID, else its size and a SHA-256 of its ends.

    The name does not count.
    """
    if _begins_with(path, ROOT):
        with faults_of(path), open_root(path) as file:
            return str(file.file.uuid)
    with faults_of_the_disk(path), open_binary(path) as file:
        digest = hashlib.sha256(file.read(END_BYTES))
        size = require_file(path)
        file.seek(max(size - END_BYTES, file.tell()))
        digest.update(file.read(END_BYTES))
    return f"{size}-{digest.hexdigest()}"


def sources_of(paths: Iterable[Place]) -> dict[str, str]:
    """Return all files whose events a file has that is made of these, by their identities."""
    found: dict[str, str] = {}
    for path in paths:
        identity, sources = _lineage_of(path)
        found |= {**sources, identity: str(path)}
    return found


def refuse_beside_sources(paths: Sequence[Place]) -> None:
    """Refuse files that `apply` wrote beside those that it read, or beside others of the same.

    What cannot be read is not looked at.
    """
    lineages: dict[Place, tuple[str, dict[str, str]]] = {}
    for path in paths:
        with suppress(InputError):  # whoever reads it says what is wrong
            lineages[path] = _lineage_of(path)
    read = {identity: path for path, (identity, _) in lineages.items()}
    held: dict[str, Place] = {}
    twice = "its events would count twice: leave one of them out"
    for path, (_, sources) in lineages.items():
        for identity in sources:
            if identity in read:
                raise InputError(
                    f"{path}: rootflow apply wrote it from {read[identity]}, which is read, too: "
                    f"{twice}"
                )
    for path, (_, sources) in lineages.items():
        for identity, source in sources.items():
            if held.setdefault(identity, path) != path:
                raise InputError(
                    f"{path}: rootflow apply wrote it from {source}, as it did {held[identity]}: "
                    f"{twice}"
                )


def _note_of(path: Place) -> str | None:
    if _begins_with(path, ROOT):
        with faults_of(path), open_root(path) as file:
            return str(file[NOTE]) if NOTE in file else None
    if _begins_with(path, PARQUET):
        with suppress(pa.ArrowException, OSError), readable(path) as file:
            found = parquet.read_metadata(file).metadata or {}
            return found.get(NOTE.encode(), b"").decode() or None
    return None


def _begins_with(path: Place, magic: bytes) -> bool:
    require_file(path)
    with faults_of_the_disk(path), open_binary(path) as file:
        return file.read(len(magic)) == magic


def _lineage_of(path: Place) -> tuple[str, dict[str, str]]:
    """Return which file it is, and those whose events it holds again, by their identities."""
    sources = (read_applied(path) or {}).get(SOURCES)
    return identity_of(path), sources if isinstance(sources, dict) else {}
