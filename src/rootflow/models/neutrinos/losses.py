"""Losses of the neutrinos' momenta, one number for each event."""

from collections.abc import Callable
from typing import NamedTuple

from keras import ops

from rootflow.models.kinematics import Tensor

# PDG 2024 (S. Navas et al., Phys. Rev. D 110, 030001); the simulation's top quark.
W_MASS_GEV = 80.37
TOP_MASS_GEV = 172.5
# Of the masses, what a residual of one is: jets and MET do not know them better.
SHARE_OF_MASS = 0.1
# GeV^2, so that the slope of a length or a mass of zero is a number.
SMALLEST_SQUARE = 1e-2


class Truth(NamedTuple):
    """What the losses know of n events, GeV along the detector's axes."""

    neutrinos: Tensor  # (n, 2, 3)
    leptons: Tensor  # (n, 2, 4), the positive one first: px, py, pz, energy
    b_jets: Tensor  # (n, 2, 4), the true jets of b and bbar
    known: Tensor  # (n, 2), 1 where there is such a jet, else 0
    visible: Tensor  # (n, 4), leptons and all jets together
    scales: Tensor  # (3,), the root mean squares of the momenta


Loss = Callable[[Tensor, Truth], Tensor]


def of_components(loss: Callable[[Tensor], Tensor]) -> Loss:
    """Return the mean (n,) of a loss of the components in units of their scales."""
    return lambda said, truth: _mean(loss((said - truth.neutrinos) / truth.scales))


def pt_eta_phi(said: Tensor, truth: Truth) -> Tensor:
    """Return the Huber loss of pT in units of its scale, of eta and of the angle phi, (n,)."""
    pt, eta = _pt_and_eta(said)
    true_pt, true_eta = _pt_and_eta(truth.neutrinos)
    angle = _angle(said, truth.neutrinos)
    residuals = [(pt - true_pt) / truth.scales[0], eta - true_eta, angle]
    return _mean(_huber(ops.stack(residuals, axis=-1)))


def magnitude_direction(said: Tensor, truth: Truth) -> Tensor:
    """Return the Huber loss of |p| in units of its scale, plus 1 - cos(angle), (n,)."""
    length, true_length = _length(said), _length(truth.neutrinos)
    cosine = ops.sum(said * truth.neutrinos, axis=-1) / (length * true_length)
    scale = ops.sqrt(ops.sum(ops.square(truth.scales)))
    return ops.mean(_huber((length - true_length) / scale) + 1.0 - cosine, axis=-1)


def rest_frame(said: Tensor, truth: Truth) -> Tensor:
    """Return the Huber loss of the momenta in the rest frame of leptons and jets, (n,).

    All components are in units of the scale of px and py: the motion along the beam is gone.
    """
    residual = to_rest(said, truth.visible) - to_rest(truth.neutrinos, truth.visible)
    return _mean(_huber(residual / truth.scales[0]))


def w_mass(said: Tensor, truth: Truth) -> Tensor:
    """Return the Huber loss of the masses of lepton and neutrino against m(W), (n,)."""
    return ops.mean(_mass_loss(truth.leptons + _massless(said), W_MASS_GEV), axis=-1)


def top_mass(said: Tensor, truth: Truth) -> Tensor:
    """Return the same of true b jet, lepton and neutrino against m(t), where the jet is known."""
    tops = truth.b_jets + truth.leptons + _massless(said)
    return ops.mean(truth.known * _mass_loss(tops, TOP_MASS_GEV), axis=-1)


def to_rest(momenta: Tensor, frame: Tensor) -> Tensor:
    """Return massless momenta (n, 2, 3) in the rest frame of four-momenta (n, 4).

    J. D. Jackson, Classical Electrodynamics, 3rd edition, equation 11.19.
    """
    energy = frame[:, None, 3:]
    beta = frame[:, None, :3] / energy
    rest_mass = ops.sqrt(ops.maximum(ops.square(energy) * (1.0 - _square(beta)), SMALLEST_SQUARE))
    gamma = energy / rest_mass
    along = ops.sum(beta * momenta, axis=-1, keepdims=True)
    push = ops.square(gamma) / (gamma + 1.0) * along - gamma * _length(momenta)[..., None]
    return momenta + push * beta


def _huber(residual: Tensor) -> Tensor:
    size = ops.abs(residual)
    return ops.where(size < 1.0, 0.5 * ops.square(size), size - 0.5)


def _mean(components: Tensor) -> Tensor:
    return ops.mean(components, axis=(1, 2))


def _square(vectors: Tensor) -> Tensor:
    return ops.sum(ops.square(vectors), axis=-1, keepdims=True)


def _length(vectors: Tensor) -> Tensor:
    return ops.sqrt(_square(vectors)[..., 0] + SMALLEST_SQUARE)


def _pt_and_eta(momenta: Tensor) -> tuple[Tensor, Tensor]:
    pt = _length(momenta[..., :2])
    return pt, ops.arcsinh(momenta[..., 2] / pt)


def _angle(momenta: Tensor, others: Tensor) -> Tensor:
    """Return the angle about the beam, from -pi to pi; 0 where there is no momentum."""
    across = momenta[..., 0] * others[..., 1] - momenta[..., 1] * others[..., 0]
    along = ops.sum(momenta[..., :2] * others[..., :2], axis=-1)
    return ops.arctan2(across, along + SMALLEST_SQUARE)


def _massless(momenta: Tensor) -> Tensor:
    return ops.concatenate([momenta, _length(momenta)[..., None]], axis=-1)


def _mass_loss(momenta: Tensor, mass: float) -> Tensor:
    square = ops.square(momenta[..., 3]) - ops.sum(ops.square(momenta[..., :3]), axis=-1)
    found = ops.sqrt(ops.maximum(square, SMALLEST_SQUARE))
    return _huber((found - mass) / (SHARE_OF_MASS * mass))


NEUTRINO_LOSSES: dict[str, Loss] = {
    "huber": of_components(_huber),
    "mse": of_components(ops.square),
    "mae": of_components(ops.abs),
    "pt_eta_phi": pt_eta_phi,
    "magnitude_direction": magnitude_direction,
    "rest_frame": rest_frame,
    "w_mass": w_mass,
    "top_mass": top_mass,
}
