"""Dileptonic ttbar: t -> b l+ nu and tbar -> bbar l- nubar."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rootflow.physics.kinematics import FloatArray, invariant_mass, massless


class Decay(NamedTuple):
    """n events as the decay of a top quark pair, four-momenta in GeV.

    Attributes
    ----------
    leptons
        (n, 2, 4) of the positive lepton, from t, and of the negative one, from tbar.
    neutrinos
        (n, 2, 4) of neutrino and antineutrino.
    w_bosons
        (n, 2, 4) of W+ and W-.
    tops
        (n, 2, 4) of t and tbar.
    """

    leptons: FloatArray
    neutrinos: FloatArray
    w_bosons: FloatArray
    tops: FloatArray


def decay_of(tops: ArrayLike, leptons: ArrayLike, neutrinos: ArrayLike) -> Decay:
    """Return the decay from the momenta of top quarks, leptons and neutrinos.

    Parameters
    ----------
    tops
        (n, 2, 4) of t and tbar, GeV.
    leptons
        (n, 2, 4) of the positive and the negative lepton, GeV.
    neutrinos
        (n, 2, 3) of neutrino and antineutrino, GeV, which are taken as massless.
    """
    leptons, light = np.asarray(leptons, np.float64), massless(neutrinos)
    return Decay(leptons, light, leptons + light, np.asarray(tops, np.float64))


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


def visible_system(decay: Decay) -> FloatArray:
    """Return the four-momenta (n, 4) of b, bbar and both leptons: the tops less the neutrinos."""
    return np.asarray(np.sum(decay.tops - decay.neutrinos, axis=1))
