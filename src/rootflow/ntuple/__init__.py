"""Ntuples: branch maps and units, chunked reading."""

from rootflow.ntuple.branch_map import BranchMap
from rootflow.ntuple.features import Feature, features_of
from rootflow.ntuple.map_files import entries_of, fold_number_fault, load_branch_map
from rootflow.ntuple.reading import Chunk, read_chunks

__all__ = [
    "BranchMap",
    "Chunk",
    "Feature",
    "entries_of",
    "features_of",
    "fold_number_fault",
    "load_branch_map",
    "read_chunks",
]
