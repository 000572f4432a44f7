"""ROOT ntuples: branch maps and units, chunked reading."""

from rootflow.ntuple.branch_map import BranchMap
from rootflow.ntuple.features import Feature, features_of
from rootflow.ntuple.map_files import fold_number_fault, load_branch_map
from rootflow.ntuple.opening import OpenTree, find_files, open_tree
from rootflow.ntuple.reading import Chunk, read_chunks
from rootflow.ntuple.writing import write_histograms

__all__ = [
    "BranchMap",
    "Chunk",
    "Feature",
    "OpenTree",
    "features_of",
    "find_files",
    "fold_number_fault",
    "load_branch_map",
    "open_tree",
    "read_chunks",
    "write_histograms",
]
