"""A larger ntuple: the entries of ROOT files again and again, with other event numbers."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import uproot

from rootflow.formats import find_files, open_table

# Of a basket, as in ntuples of that size.
ENTRIES_AT_ONCE = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", help="ROOT files or globs, and last the one to write")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--number", default="eventNumber", help="branch of the event number")
    parser.add_argument("--branches", nargs="*", default=["*"], help="names or globs")
    parser.add_argument("--basket", type=int, default=ENTRIES_AT_ONCE, help="entries of a basket")
    arguments = parser.parse_args()
    *sources, target = arguments.files
    branches = [*arguments.branches, arguments.number]
    write(
        find_files(sources),
        Path(target),
        arguments.events,
        arguments.number,
        branches,
        arguments.basket,
    )


def write(
    sources: Sequence[Path],
    target: Path,
    events: int,
    number: str,
    branches: Sequence[str],
    basket: int = ENTRIES_AT_ONCE,
) -> None:
    """Write so many entries of the sources, from the first again after the last."""
    with open_table(sources[0]) as table:
        name = table.name
    parts = [
        part
        for path in sources
        for part in uproot.iterate(
            f"{path}:{name}", filter_name=list(branches), step_size=basket, how=dict
        )
    ]
    with uproot.recreate(target, compression=uproot.ZSTD(5)) as file:
        types = {each: ak.type(array).content for each, array in parts[0].items()}
        tree = file.mktree(name, types)
        written = 0
        for part in _again(parts):
            arrays = {each: array[: events - written] for each, array in part.items()}
            count = len(arrays[number])
            arrays[number] = np.arange(written, written + count, dtype=types[number].primitive)
            tree.extend(arrays)
            written += count
            if written == events:
                return


def _again(parts: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    while True:
        yield from parts


if __name__ == "__main__":
    main()
