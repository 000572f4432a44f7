r"""Spin correlation of top quark pairs in dileptonic decays.

Angles are those of W. Bernreuther, D. Heisler, Z.-G. Si, JHEP 12 (2015) 026,
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

from rootflow.physics.kinematics import FloatArray, in_rest_frame, unit
from rootflow.physics.ttbar import Decay

AXES = ("k", "r", "n")
BEAM = (0.0, 0.0, 1.0)


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
