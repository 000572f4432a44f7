"""The same events in each format that is read, as small files that tests write."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import awkward as ak
import pyarrow as pa
import uproot
from pyarrow import parquet

from ntuples import Branches, write_ntuple

# Of clusters, row groups and chunks: the last one is not full.
EVENTS_IN_GROUP = 7_000


def write_rntuple(path: Path, branches: Branches) -> Path:
    """Write branches to the RNTuple `reco` of a new ROOT file, and return its path."""
    count = len(next(iter(branches.values())))
    groups = [
        {name: array[start : start + EVENTS_IN_GROUP] for name, array in branches.items()}
        for start in range(0, count, EVENTS_IN_GROUP)
    ]
    with uproot.recreate(path) as file:
        written = file.mkrntuple("reco", groups[0])
        for group in groups[1:]:
            written.extend(group)
    return path


def write_parquet(path: Path, branches: Branches, rows_in_group: int = EVENTS_IN_GROUP) -> Path:
    """Write branches to a new Parquet file, and return its path."""
    columns = {
        name: ak.to_arrow(array, extensionarray=False, list_to32=True)
        for name, array in branches.items()
    }
    parquet.write_table(pa.table(columns), path, row_group_size=rows_in_group)
    return path


class Format(NamedTuple):
    """How events of `read_branches` are written: to which suffix, and the map that reads them."""

    write: Callable[[Path, Branches], Path]
    suffix: str
    branch_map: str = "topcptoolkit"


FORMATS = {
    "TTree": Format(write_ntuple, ".root"),
    "RNTuple": Format(write_rntuple, ".root"),
    "Parquet": Format(write_parquet, ".parquet"),
}
