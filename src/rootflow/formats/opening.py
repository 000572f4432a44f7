"""Files of events, found and opened; whatever is wrong with one is said in one line."""

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import uproot

from rootflow.errors import InputError
from rootflow.formats.csv import SUFFIXES, CsvTable
from rootflow.formats.faults import faults_of, require_file
from rootflow.formats.table import Table
from rootflow.formats.trees import NTuple, Tree

# By the names of ROOT's classes.
KINDS = {"TTree": Tree, "ROOT::RNTuple": NTuple}


@contextmanager
def open_table(
    path: Path, tree: str | None = None, integers: Collection[str] = ()
) -> Iterator[Table]:
    """Yield the entries of a file: a CSV file by its name, else a TTree or an RNTuple.

    Where no tree is named it is the only one. Of a format without types these columns are integers,
    the others float64. A file that is missing, empty, truncated or of no such format, or has no
    such tree, is an InputError.
    """
    require_file(path)
    if path.name.lower().endswith(SUFFIXES):
        yield CsvTable(path, integers)
        return
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


def _find_tree(file: Any, path: Path, tree: str | None) -> Tree:
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
