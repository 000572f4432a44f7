"""Dileptonic ttbar: t -> b l+ nu and tbar -> bbar l- nubar."""

import numpy as np
from numpy.typing import ArrayLike

from rootflow.physics.kinematics import FloatArray, invariant_mass, massless


def top_pair(b_jets: ArrayLike, leptons: ArrayLike, neutrinos: ArrayLike) -> FloatArray:
    """Return the four-momenta (n, 2, 4) of t and tbar from those of what they decay into.

    Parameters
    ----------
    b_jets
        (n, 2, 4) four-momenta of the jets of b and bbar, GeV.
    leptons
        (n, 2, 4) four-momenta of the positive and the negative lepton, GeV.
    neutrinos
        (n, 2, 3) momenta of neutrino and antineutrino, GeV, which are taken as massless.
    """
    b_jets, leptons = np.asarray(b_jets, np.float64), np.asarray(leptons, np.float64)
    return np.asarray(b_jets + leptons + massless(neutrinos))


def ttbar_mass(tops: ArrayLike) -> FloatArray:
    """Return m(ttbar) (n,) in GeV of the four-momenta (n, 2, 4) of t and tbar."""
    return invariant_mass(np.sum(np.asarray(tops, np.float64), axis=-2))
