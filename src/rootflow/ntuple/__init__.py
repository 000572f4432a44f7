"""ROOT ntuples: branch maps and units, chunked reading, selection."""

from rootflow.ntuple.branch_map import BranchMap, load_branch_map
from rootflow.ntuple.features import Feature, features_of
from rootflow.ntuple.opening import find_files
from rootflow.ntuple.reading import Chunk, read_chunks
from rootflow.ntuple.selection import Cutflow, select
from rootflow.ntuple.writing import write_histograms

__all__ = [
    "BranchMap",
    "Chunk",
    "Cutflow",
    "Feature",
    "features_of",
    "find_files",
    "load_branch_map",
    "read_chunks",
    "select",
    "write_histograms",
]
