"""Which jet is whose: the b quarks' jets and the W bosons' leptons."""

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.simulation.jets import distance_to
from rootflow.simulation.leptons import MeasuredLeptons
from rootflow.simulation.record import Momenta

UNMATCHED = -1


def match_jets(jets: ak.Array, quarks: Momenta, distance: float) -> NDArray[np.int32]:
    """Return the jet nearest to each of two quarks (n, 2), or UNMATCHED.

    A jet that is the nearest to both belongs to the nearer one, and the other has none.
    """
    apart = [distance_to(jets, quarks[:, side]) for side in (0, 1)]
    smallest = np.stack(
        [ak.to_numpy(ak.fill_none(ak.min(each, axis=1), np.inf)) for each in apart], axis=-1
    )
    nearest = np.stack(
        [ak.to_numpy(ak.fill_none(ak.argmin(each, axis=1), UNMATCHED)) for each in apart], axis=-1
    )
    matched = np.where(smallest < distance, nearest, UNMATCHED).astype(np.int32)
    shared = (matched[:, 0] == matched[:, 1]) & (matched[:, 0] != UNMATCHED)
    loser = np.where(smallest[:, 0] <= smallest[:, 1], 1, 0)
    matched[shared, loser[shared]] = UNMATCHED
    return matched


def index_by_species(leptons: MeasuredLeptons, species: int) -> NDArray[np.int32]:
    """Return where each lepton (n, 2) is among the event's leptons of its species.

    They fall in pT; UNMATCHED where it is of another species.
    """
    is_it = np.abs(leptons.pdg_id) == species
    pt = leptons.momentum.pt
    is_second = is_it.all(axis=1, keepdims=True) & (pt < pt[:, ::-1])
    return np.where(is_it, is_second, UNMATCHED).astype(np.int32)
