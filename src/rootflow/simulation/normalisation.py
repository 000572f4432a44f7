"""What the weights of four-lepton ntuples add up to."""

import awkward as ak
import numpy as np

from rootflow.config.four_lepton_simulation import (
    FourLeptonProcessConfig,
    PublishedCrossSectionConfig,
)
from rootflow.simulation.ntuple import Generation, Ntuple


def cross_section_pb(config: FourLeptonProcessConfig, generation: Generation) -> float:
    """Return the cross section of all that was generated, selected or not.

    Published numbers are of the production and of the decays that are generated. The
    generator's own is of its forced decays, so that no branching ratio is missing.
    """
    if isinstance(config.cross_section, PublishedCrossSectionConfig):
        return config.cross_section.cross_section_pb
    return config.cross_section.k_factor * generation.cross_section_pb


def normalise(ntuple: Ntuple, cross_section_pb: float) -> Ntuple:
    """Add the branches that make weights expected events.

    mcWeight x XSection / SumWeights x luminosity, summed over the events of a file, is the
    yield that the file's own generated events stand for; SumWeights is of this file alone.
    """
    events = ak.copy(ntuple.events)
    one = np.ones(len(events))
    events["XSection"] = (cross_section_pb * one).astype(np.float32)
    events["SumWeights"] = (ntuple.generation.sum_of_weights * one).astype(np.float32)
    return ntuple._replace(events=events)
