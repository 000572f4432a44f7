"""Overlaps of jets and leptons, and the events that are written."""

from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from rootflow.config.simulation import DileptonSelectionConfig
from rootflow.simulation.jets import distance_to
from rootflow.simulation.leptons import MeasuredLeptons
from rootflow.simulation.record import Momenta
from rootflow.simulation.truth import ELECTRON


def is_within(momentum: Momenta, pt_min: float, eta_max: float) -> Any:
    """Return where the momenta are in the acceptance."""
    return (momentum.pt > pt_min) & (np.abs(momentum.eta) < eta_max)


def has_two_leptons(
    leptons: MeasuredLeptons, selection: DileptonSelectionConfig
) -> NDArray[np.bool_]:
    """(n,) where both leptons are found and in the acceptance."""
    accepted = is_within(leptons.momentum, selection.lepton_pt_min_gev, selection.lepton_eta_max)
    selected: NDArray[np.bool_] = (leptons.found & accepted).all(axis=1)
    return selected


def drop_electrons(jets: ak.Array, leptons: MeasuredLeptons, distance: float) -> ak.Array:
    """Return the jets that are no electron's own deposit."""
    is_electron = leptons.found & (np.abs(leptons.pdg_id) == ELECTRON)
    for column in range(is_electron.shape[1]):
        near = distance_to(jets, leptons.momentum[:, column]) < distance
        jets = jets[~(near & is_electron[:, column])]
    return jets


def are_isolated(jets: ak.Array, leptons: MeasuredLeptons, distance: float) -> NDArray[np.bool_]:
    """(n,) where no jet is within `distance` of one of the two leptons."""
    near = [distance_to(jets, leptons.momentum[:, side]) < distance for side in (0, 1)]
    overlaps: NDArray[np.bool_] = ak.to_numpy(ak.any(near[0] | near[1], axis=1))
    return ~overlaps
