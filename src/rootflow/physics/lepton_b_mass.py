"""The mass of lepton and b quark in t -> b W -> b l nu, at leading order."""

import math

from rootflow.physics.compiled import compiled


@compiled
def lepton_b_density(product: float, top_mass: float, w_mass: float) -> float:
    """Return the probability density of m(lb) per GeV, with b quark and lepton massless.

    The angle theta* between the lepton in the rest frame of the W boson and the W boson in
    that of the top quark has the density 3/4 sin^2 F0 + 3/8 (1 - cos)^2 FL (G. Kane,
    G. Ladinsky, C.-P. Yuan, Phys. Rev. D 45 (1992) 124), with the leading-order
    F0 / FL = m_t^2 / (2 m_W^2), and m(lb)^2 = (m_t^2 - m_W^2)(1 + cos theta*) / 2.

    Parameters
    ----------
    product
        2 p_b p_l in GeV^2, which is m(lb)^2 of massless particles.
    top_mass, w_mass
        In GeV. Beyond sqrt(m_t^2 - m_W^2) the density is zero.
    """
    edge2 = top_mass**2 - w_mass**2
    if not 0 <= product <= edge2:
        return 0.0
    cosine = 2 * product / edge2 - 1
    longitudinal = top_mass**2 / (top_mass**2 + 2 * w_mass**2)
    by_cosine = 0.75 * (1 - cosine**2) * longitudinal
    by_cosine += 0.375 * (1 - cosine) ** 2 * (1 - longitudinal)
    return by_cosine * 4 * math.sqrt(product) / edge2
