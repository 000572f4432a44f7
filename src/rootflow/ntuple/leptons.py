"""Charged leptons: their codes, their energies where the ntuple has none, and its masses."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.branch_map import Leptons, Masses
from rootflow.ntuple.columns import Table
from rootflow.ntuple.units import BranchColumn
from rootflow.physics.kinematics import four_momentum, invariant_mass

ELECTRON, MUON, TAU = 11, 13, 15
# S. Navas et al. (Particle Data Group), Phys. Rev. D 110, 030001 (2024).
MASSES_GEV = {ELECTRON: 0.000510999, MUON: 0.105658, TAU: 1.77693}

# How far m^2 may be off: relative, and relative to the square of the energy, from which
# the rounding of energies and angles to four digits comes. A wrong column is further off.
TOLERANCE = 0.02
TOLERANCE_OF_ENERGY = 5e-3
# In GeV^2, for pairs of nearly no mass.
SMALLEST_TOLERANCE = 1.0

Values = NDArray[np.float32]


def signed_flavours(
    table: Table, leptons: Leptons, values: Mapping[str, Values], event: NDArray[np.int64]
) -> Values:
    """Return (leptons,) the code of each lepton, negative for positive charge.

    `values` has under "pdg_id" and "charge" what the map names of them; `event` is that of each.
    """
    if isinstance(leptons.pdg_id, BranchColumn):
        flavour = values["pdg_id"]
        table.refuse_where(
            ~np.isin(np.abs(flavour), list(MASSES_GEV)),
            leptons.pdg_id,
            f"is {{:g}}, which is no electron ({ELECTRON}), muon ({MUON}) or tau ({TAU})",
            flavour,
            event=event,
        )
    else:
        flavour = np.full(len(event), leptons.pdg_id, dtype=np.float32)
    if leptons.charge is None:
        return flavour
    charge = values["charge"]
    what = "is {:g}, a lepton's charge is 1 or -1"
    table.refuse_where(np.abs(charge) != 1, leptons.charge, what, charge, event=event)
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


def require_masses(table: Table, masses: Masses, slots: Sequence[NDArray[np.float32]]) -> None:
    """Refuse masses that are not those of the leptons in the table's own order, beyond rounding.

    Each slot has (n, features), of which pt, eta, phi and energy are the first.
    """
    columns = masses.columns()
    if not columns:
        return
    momenta = [four_momentum(*slot[:, :4].T) for slot in slots]
    for name, column in columns.items():
        places = range(4) if name == "m4l" else [int(slot) - 1 for slot in name[-2:]]
        system = np.sum([momenta[place] for place in places], axis=0)
        expected = system[:, 3] ** 2 - np.sum(system[:, :3] ** 2, axis=1)
        found = table.converted(column, table.scalar(column)).astype(np.float64)
        allowed = (
            TOLERANCE * expected + TOLERANCE_OF_ENERGY * system[:, 3] ** 2 + SMALLEST_TOLERANCE
        )
        # Where rounding makes m^2 negative, tables have either zero or -sqrt(-m^2).
        wrong = np.abs(found * np.abs(found) - expected) > allowed
        if wrong.any():
            where = int(np.argmax(wrong))
            raise table.wrong(
                column,
                f"is {found[where]:.6g} GeV when read as {column.unit}, but the leptons have "
                f"{name} = {invariant_mass(system[where]):.6g} GeV ({int(wrong.sum())} of "
                f"{len(wrong)} events differ): are the columns and units in the branch map right?",
                where,
            )
