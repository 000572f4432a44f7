r"""Dileptonic ttbar, t -> b l+ nu and tbar -> bbar l- nubar, and the spin correlation of the tops.

Its angles are those of W. Bernreuther, D. Heisler, Z.-G. Si, JHEP 12 (2015) 026,
arXiv:1508.05271, section 4, as measured by CMS, Phys. Rev. D 100, 072002 (2019),
arXiv:1907.03729. With the top quark's direction :math:`\hat k` in the rest frame of the pair,
the beam :math:`\hat p = (0, 0, 1)` and :math:`y = \hat k \cdot \hat p`, the axes are

.. math::
    \hat k, \quad
    \hat r = \mathrm{sign}(y) (\hat p - y \hat k) / \sqrt{1 - y^2}, \quad
    \hat n = \mathrm{sign}(y) (\hat p \times \hat k) / \sqrt{1 - y^2}

The positive lepton is projected on them, the negative one on their opposites, each in the rest
frame of its top quark, which is reached from the rest frame of the pair by a boost without
rotation.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from rootflow.physics.kinematics import FloatArray, in_rest_frame, invariant_mass, massless, unit

AXES = ("k", "r", "n")
BEAM = (0.0, 0.0, 1.0)


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


class SpinAngles(NamedTuple):
    """Cosines along k, r and n, (n, 3) each: of the positive and of the negative lepton."""

    positive: FloatArray
    negative: FloatArray

    def product(self, first: str, second: str) -> FloatArray:
        r"""Return (n,) :math:`\cos\theta_+^i \cos\theta_-^j`, whose mean is -C_ij / 9."""
        return self.positive[:, AXES.index(first)] * self.negative[:, AXES.index(second)]

    def c_hel(self) -> FloatArray:
        r"""Return (n,) the scalar product of the leptons' directions, :math:`\cos\varphi`.

        Its density is (1 - D c_hel) / 2: arXiv:1907.03729, eq. 8.
        """
        return np.asarray(-np.sum(self.positive * self.negative, axis=-1))

    def c_han(self) -> FloatArray:
        """Return (n,) the same with the sign of the component along k turned.

        As in the search for toponium, CMS, arXiv:2503.22382.
        """
        signs = np.array([1.0, -1.0, -1.0])
        return np.asarray(np.sum(self.positive * self.negative * signs, axis=-1))


def spin_angles(decay: Decay) -> SpinAngles:
    """Return the angles of the leptons in the helicity basis; 0 where there is no such frame."""
    pair = np.sum(decay.tops, axis=1)
    tops, leptons = (in_rest_frame(each, pair) for each in (decay.tops, decay.leptons))
    directions = [
        unit(in_rest_frame(leptons[:, [side]], tops[:, side])[:, 0, :3]) for side in (0, 1)
    ]
    axes = helicity_axes(tops[:, 0, :3])
    along = [np.einsum("nai,ni->na", axes, direction) for direction in directions]
    return SpinAngles(along[0], -along[1])


def helicity_axes(top: FloatArray) -> FloatArray:
    """Return the axes k, r, n (n, 3, 3) from the top's momenta (n, 3) where the pair rests."""
    k = unit(top)
    beam = np.broadcast_to(BEAM, k.shape)
    y = k[:, 2:]
    sign = np.sign(y)
    return np.stack([k, sign * unit(beam - y * k), sign * unit(np.cross(beam, k))], axis=1)
