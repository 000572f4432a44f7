"""All electrons and muons of an event, be they from a boson or from a hadron."""

import numpy as np
from numpy.typing import NDArray

from rootflow.simulation.leptons import FIRST_STATUS_OF_HADRONS
from rootflow.simulation.record import NOBODY, Record
from rootflow.simulation.truth import ELECTRON, MUON, TAU, Indices


def find_leptons(record: Record, pt_min: float) -> Indices:
    """Return the final electrons and muons above `pt_min` GeV, (n, most of one event).

    NOBODY fills the rows of events that have fewer.
    """
    lepton = np.flatnonzero(record.is_final & record.is_one_of(ELECTRON, MUON))
    lepton = lepton[record.momentum[lepton].pt > pt_min]
    event = record.event[lepton]
    counts = np.bincount(event, minlength=record.events)
    column = np.arange(len(lepton)) - (np.cumsum(counts) - counts)[event]
    found = np.full((record.events, max(int(counts.max()), 1)), NOBODY)
    found[event, column] = lepton
    return found


def is_prompt(record: Record, lepton: Indices) -> NDArray[np.bool_]:
    """Return where a lepton is from a boson, or from a tau that is, and from no hadron."""
    born_hard = record.status < FIRST_STATUS_OF_HADRONS
    mother = record.mother[lepton]
    # A tau has decayed: its status is negative, that of a boson's tau above -80.
    of_tau = (np.abs(record.pdg_id[mother]) == TAU) & (
        -record.status[mother] < FIRST_STATUS_OF_HADRONS
    )
    prompt: NDArray[np.bool_] = (lepton != NOBODY) & (born_hard[lepton] | of_tau)
    return prompt
