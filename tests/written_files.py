"""Files as their own libraries read them, and not rootflow."""

from pathlib import Path

import awkward as ak
import numpy as np
import uproot
from pyarrow import parquet

from rootflow.formats.writing import Format

CLASSES: dict[Format, str] = {"ttree": "TTree", "rntuple": "ROOT::RNTuple"}


def read_written(path: Path, file_format: Format, tree: str) -> ak.Array:
    """Return the columns of a table; one of another format is none."""
    if file_format == "parquet":
        return ak.from_arrow(parquet.read_table(path))
    with uproot.open(path) as file:
        assert file.classname_of(tree) == CLASSES[file_format]
        return file[tree].arrays()


def parts_of(path: Path, file_format: Format, tree: str) -> list[int]:
    """Return how many entries are in each of the parts that are compressed alone."""
    if file_format == "parquet":
        file = parquet.read_metadata(path)
        return [file.row_group(place).num_rows for place in range(file.num_row_groups)]
    with uproot.open(path) as file:
        if file_format == "rntuple":
            return [cluster.num_entries for cluster in file[tree].cluster_summaries]
        return np.diff(file[tree].common_entry_offsets()).tolist()


def note_of(path: Path, name: str) -> str:
    """Return a note beside the table."""
    if path.suffix == ".parquet":
        return parquet.read_metadata(path).metadata[name.encode()].decode()
    with uproot.open(path) as file:
        return str(file[name])
