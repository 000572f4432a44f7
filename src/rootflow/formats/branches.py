"""What there is to copy of a table."""

import difflib
import fnmatch
import itertools
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import awkward as ak

from rootflow.errors import InputError, UsageError
from rootflow.formats.table import Table
from rootflow.formats.writing import Format
from rootflow.places import Place

NUMBERS = "biuf"
# ROOT 6.40 opens no RNTuple with such a name in it, though uproot writes it.
NO_FIELD = re.compile(r"[\x00-\x20\x7f./\\]")


class Branches(NamedTuple):
    """What there is to copy of a table.

    Scalars are branches with one number, or an array of fixed length, for each entry, with their
    types; lists are by the branch that counts them in a TTree: their own where the file has one,
    else a new one.
    """

    tree: str
    scalars: dict[str, str]
    lists: dict[str, dict[str, str]]

    def names(self) -> list[str]:
        """Return all branches that are read."""
        return [*self.scalars, *(name for group in self.lists.values() for name in group)]

    def read(self, table: Table, start: int, stop: int) -> dict[str, Any]:
        """Return entries from start to before stop, as `TableWriter.extend` takes them."""
        arrays = table.read(self.names(), start, stop) if self.names() else {}
        return arrays | {name: ak.to_numpy(arrays[name]) for name in self.scalars}


def branches_of(
    table: Table,
    kept: Sequence[str] | None = None,
    dropped: Sequence[str] = (),
    file_format: Format = "ttree",
) -> Branches:
    """Return what there is to copy of a table: branches by names or globs, all for no `kept`.

    What cannot be written in a format is an InputError, a branch that is not there a UsageError.
    """
    scalars: dict[str, str] = {}
    lists: dict[str, dict[str, str]] = {}
    there = table.names()
    chosen = set(there) if kept is None else _matches(table.path, "--keep", kept, there)
    chosen -= _matches(table.path, "--drop", dropped, there)
    taken = set(chosen)
    unwritable: dict[str, str] = {}
    for branch, column in table.columns(chosen).items():
        numbers, in_lists = column.numbers, column.in_lists
        if numbers is None or numbers.base.kind not in NUMBERS or (in_lists and numbers.shape):
            unwritable[branch] = f"is {column.type}, which cannot be written again:"
        elif file_format == "rntuple" and NO_FIELD.search(branch):
            unwritable[branch] = (
                "has a name that ROOT takes in no RNTuple: write a TTree or Parquet, or"
            )
        elif in_lists:
            name = column.counter or _new_name(branch, taken)
            lists.setdefault(name, {})[branch] = str(numbers)
        else:
            scalars[branch] = str(numbers)
    if unwritable:
        name, why = next(iter(unwritable.items()))
        raise InputError(
            f"{table.path}: branch '{name}' {why} leave it out with "
            f"{' '.join(f'--drop {name}' for name in unwritable)}"
        )
    if file_format == "ttree":  # uproot writes its counters
        scalars = {name: kind for name, kind in scalars.items() if name not in lists}
    return Branches(table.name, scalars, lists)


def _matches(path: Place, option: str, patterns: Sequence[str], there: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        matching = {name for name in there if fnmatch.fnmatchcase(name, pattern)}
        if not matching:
            near = ", ".join(difflib.get_close_matches(pattern, there, n=3))
            hint = f"; near matches: {near}" if near else ""
            raise UsageError(f"{option} {pattern}: {path} has no such branch{hint}")
        found |= matching
    return found


def _new_name(name: str, taken: set[str]) -> str:
    """Return the name of a branch that counts another one, as nothing else is named."""
    longer = (f"{'n' * times}{name}" for times in itertools.count(1))
    free = next(each for each in longer if each not in taken)
    taken.add(free)
    return free
