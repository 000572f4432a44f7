"""The mark of files that `apply` wrote: they hold the events of others again."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import uproot

from rootflow.errors import InputError
from rootflow.ntuple.csv_tables import is_csv
from rootflow.ntuple.opening import faults_of
from rootflow.ntuple.writing import read_note

NOTE = "rootflow_apply"
# In the note: the files whose events these are, by the UUID that ROOT gives each file.
SOURCES = "sources"


class Lineage(NamedTuple):
    """A file, and those whose events it holds again, by their UUIDs."""

    uuid: str
    sources: dict[str, str]


def read_applied(path: Path) -> dict[str, Any] | None:
    """Return what `apply` noted in a file, None where it did not write it."""
    try:
        note = json.loads(read_note(path, NOTE) or "null")
    except ValueError:
        return {}
    return note if isinstance(note, dict) or note is None else {}


def lineage_of(path: Path) -> Lineage:
    """Return which file it is, and those whose events it holds again."""
    with faults_of(path), uproot.open(path) as file:
        uuid = str(file.file.uuid)
    sources = (read_applied(path) or {}).get(SOURCES)
    return Lineage(uuid, sources if isinstance(sources, dict) else {})


def sources_of(paths: Iterable[Path]) -> dict[str, str]:
    """Return all files whose events a file has that is made of these."""
    found: dict[str, str] = {}
    for path in paths:
        lineage = lineage_of(path)
        found |= {**lineage.sources, lineage.uuid: str(path)}
    return found


def refuse_beside_sources(paths: Sequence[Path]) -> None:
    """Refuse files that `apply` wrote beside those that it read, or beside others of the same.

    What cannot be read is not looked at.
    """
    lineages: dict[Path, Lineage] = {}
    for path in paths:
        try:
            lineages |= {} if is_csv(path) else {path: lineage_of(path)}
        except InputError:  # whoever reads it says what is wrong
            continue
    read = {lineage.uuid: path for path, lineage in lineages.items()}
    held: dict[str, Path] = {}
    twice = "its events would count twice: leave one of them out"
    for path, lineage in lineages.items():
        for uuid in lineage.sources:
            if uuid in read:
                raise InputError(
                    f"{path}: rootflow apply wrote it from {read[uuid]}, which is read, too: "
                    f"{twice}"
                )
    for path, lineage in lineages.items():
        for uuid, source in lineage.sources.items():
            if held.setdefault(uuid, path) != path:
                raise InputError(
                    f"{path}: rootflow apply wrote it from {source}, as it did {held[uuid]}: "
                    f"{twice}"
                )
