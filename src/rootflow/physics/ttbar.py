"""Dileptonic ttbar: t -> b l+ nu and tbar -> bbar l- nubar."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rootflow.physics.kinematics import FloatArray, invariant_mass, massless


class Decay(NamedTuple):
    """n events as the decay of a top quark pair: four-momenta (n, 2, 4) in GeV, of t, then of tbar.

    The positive lepton, the neutrino and the W+ are those of t.
    """

    leptons: FloatArray
    neutrinos: FloatArray
    w_bosons: FloatArray
    tops: FloatArray


class Solutions(NamedTuple):
    """What a solver makes of n events, or pairs of jets.

    `neutrinos` (n, 2, 3) are the momenta of neutrino and antineutrino in GeV, NaN where there is no
    solution; `likes` (n,) how much the solver likes each, comparable within an event.
    """

    neutrinos: FloatArray
    likes: FloatArray


def decay_of(tops: ArrayLike, leptons: ArrayLike, neutrinos: ArrayLike) -> Decay:
    """Return the decay from the momenta (n, 2, 4) of tops and leptons and (n, 2, 3) of neutrinos.

    All are in GeV; the neutrinos are taken as massless.
    """
    leptons, light = np.asarray(leptons, np.float64), massless(neutrinos)
    return Decay(leptons, light, leptons + light, np.asarray(tops, np.float64))


def top_pair(b_jets: ArrayLike, leptons: ArrayLike, neutrinos: ArrayLike) -> FloatArray:
    """Return the four-momenta (n, 2, 4) of t and tbar from those of what they decay into.

    The momenta of neutrino and antineutrino are (n, 2, 3), all are in GeV.
    """
    b_jets, leptons = np.asarray(b_jets, np.float64), np.asarray(leptons, np.float64)
    return np.asarray(b_jets + leptons + massless(neutrinos))


def ttbar_mass(tops: ArrayLike) -> FloatArray:
    """Return m(ttbar) (n,) in GeV of the four-momenta (n, 2, 4) of t and tbar."""
    return invariant_mass(np.sum(np.asarray(tops, np.float64), axis=-2))


def visible_system(decay: Decay) -> FloatArray:
    """Return the four-momenta (n, 4) of b, bbar and both leptons: the tops less the neutrinos."""
    return np.asarray(np.sum(decay.tops - decay.neutrinos, axis=1))
