"""Electrons and muons by their codes."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.columns import Table
from rootflow.ntuple.four_leptons.branch_map import Leptons
from rootflow.ntuple.units import Column

ELECTRON, MUON = 11, 13
# S. Navas et al. (Particle Data Group), Phys. Rev. D 110, 030001 (2024).
ELECTRON_MASS_GEV = 0.000510999
MUON_MASS_GEV = 0.105658

Values = NDArray[np.float32]


def signed_flavours(
    table: Table, leptons: Leptons, values: Mapping[str, Values], event: NDArray[np.int64]
) -> Values:
    """Return (leptons,) the code of each lepton, negative for positive charge.

    Parameters
    ----------
    values
        Under "pdg_id" and "charge" what the map names of them, each (leptons,).
    event
        (leptons,) the event of each.

    Raises
    ------
    InputError
        A code is neither that of an electron nor of a muon, or a charge is not 1 or -1.
    """
    if isinstance(leptons.pdg_id, Column):
        flavour = values["pdg_id"]
        other = ~np.isin(np.abs(flavour), (ELECTRON, MUON))
        if other.any():
            where = int(np.argmax(other))
            raise table.wrong(
                leptons.pdg_id,
                f"is {flavour[where]:g}, which is no electron ({ELECTRON}) or muon ({MUON})",
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


def with_mass_of_flavour(values: Mapping[str, Values]) -> Values:
    """Return (leptons,) energies in GeV, sqrt(p^2 + m^2), from pt, eta and pdg_id."""
    mass = np.where(np.abs(values["pdg_id"]) == MUON, MUON_MASS_GEV, ELECTRON_MASS_GEV)
    momentum = values["pt"].astype(np.float64) * np.cosh(values["eta"].astype(np.float64))
    return np.hypot(momentum, mass).astype(np.float32)
