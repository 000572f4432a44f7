"""Invariant masses in a flat table against those of its leptons."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.ntuple.branch_map import Masses
from rootflow.ntuple.columns import Table
from rootflow.physics.kinematics import four_momentum, invariant_mass

# How far m^2 may be off: relative, and relative to the square of the energy, from which
# the rounding of energies and angles to four digits comes. A wrong column is further off.
TOLERANCE = 0.02
TOLERANCE_OF_ENERGY = 5e-3
# In GeV^2, for pairs of nearly no mass.
SMALLEST_TOLERANCE = 1.0


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
