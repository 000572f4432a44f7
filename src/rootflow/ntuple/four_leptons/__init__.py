"""Ntuples and tables of four-lepton events: their branch maps, reading, selection."""

from rootflow.ntuple.four_leptons.branch_map import FourLeptonMap, load_four_lepton_map
from rootflow.ntuple.four_leptons.expectation import Expectation
from rootflow.ntuple.four_leptons.features import features_of
from rootflow.ntuple.four_leptons.reading import Chunk, read_chunks, read_entries
from rootflow.ntuple.four_leptons.selection import Selected, select
from rootflow.ntuple.four_leptons.simulated import first_of_simulation
from rootflow.ntuple.four_leptons.wanted import Wanted, quantities_for

__all__ = [
    "Chunk",
    "Expectation",
    "FourLeptonMap",
    "Selected",
    "Wanted",
    "features_of",
    "first_of_simulation",
    "load_four_lepton_map",
    "quantities_for",
    "read_chunks",
    "read_entries",
    "select",
]
