"""Charged leptons by their codes, and energies where the ntuple has neither those nor masses."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.branch_map import Leptons
from rootflow.ntuple.columns import Table
from rootflow.ntuple.units import Column

ELECTRON, MUON, TAU = 11, 13, 15
# S. Navas et al. (Particle Data Group), Phys. Rev. D 110, 030001 (2024).
MASSES_GEV = {ELECTRON: 0.000510999, MUON: 0.105658, TAU: 1.77693}

Values = NDArray[np.float32]


def signed_flavours(
    table: Table, leptons: Leptons, values: Mapping[str, Values], event: NDArray[np.int64]
) -> Values:
    """Return (leptons,) the code of each lepton, negative for positive charge.

    `values` has under "pdg_id" and "charge" what the map names of them; `event` is that of each.
    """
    if isinstance(leptons.pdg_id, Column):
        flavour = values["pdg_id"]
        other = ~np.isin(np.abs(flavour), list(MASSES_GEV))
        if other.any():
            where = int(np.argmax(other))
            raise table.wrong(
                leptons.pdg_id,
                f"is {flavour[where]:g}, which is no electron ({ELECTRON}), muon ({MUON}) or tau "
                f"({TAU})",
                event[where],
            )
    else:
        flavour = np.full(len(event), leptons.pdg_id, dtype=np.float32)
    if leptons.charge is None:
        return flavour
    charge = values["charge"]
    other = np.abs(charge) != 1
    if other.any():
        where = int(np.argmax(other))
        raise table.wrong(
            leptons.charge, f"is {charge[where]:g}, a lepton's charge is 1 or -1", event[where]
        )
    return np.copysign(flavour, -charge)


def energies(values: Mapping[str, Values]) -> Values:
    """Return (objects,) energies in GeV, sqrt(p^2 + m^2), from pt, eta and the code of leptons.

    What is no lepton has no mass.
    """
    momentum = values["pt"].astype(np.float64) * np.cosh(values["eta"].astype(np.float64))
    mass = np.zeros(len(momentum))
    for flavour, of_flavour in MASSES_GEV.items() if "pdg_id" in values else ():
        mass[np.abs(values["pdg_id"]) == flavour] = of_flavour
    return np.hypot(momentum, mass).astype(np.float32)
