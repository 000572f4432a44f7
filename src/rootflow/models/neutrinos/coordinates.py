"""What a head for the neutrinos is given of an event, and the coordinates of a flow's density."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from rootflow.models.kinematics import KINEMATICS, Tensor, momentum, transverse
from rootflow.models.normalisation import Scales

# `features` (n, 2, width), what the trunk says of each view, first that of the positive
# lepton; `axes` (n, 2, 3, 3), the unit vectors of each view; and what `Momenta` gives.
Seen = Mapping[str, Tensor]
SEEN = ("features", "axes", "jets", "leptons", "met")
# The sum of the neutrinos is known to the resolution of MET, a part of their own size.
SHARE_OF_MET = 0.5


@keras.saving.register_keras_serializable(package="rootflow")
class Momenta(keras.Layer):  # type: ignore[misc]
    """Four-momenta of an event along the detector's axes, in GeV.

    `jets` (n, J, 4), zero where there is none, `leptons` (n, 2, 4), the positive first, both
    px, py, pz, energy; `met` (n, 2), px and py, zero where it is not taken.
    """

    def __init__(self, features: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.features = features

    def call(
        self, jets: Tensor, jet_mask: Tensor, leptons: Tensor, met: Tensor = None
    ) -> dict[str, Tensor]:
        """Return the momenta of a batch of raw inputs."""
        jets = ops.where(ops.expand_dims(jet_mask, -1), jets, 0.0)
        missing = ops.zeros_like(leptons[:, 0, :2])
        if met is not None:
            pt, phi = (met[:, self.features["met"].index(name)] for name in ("pt", "phi"))
            missing = ops.stack([pt * ops.cos(phi), pt * ops.sin(phi)], axis=-1)
        return {
            "jets": self._momenta("jets", jets),
            "leptons": self._momenta("leptons", leptons),
            "met": missing,
        }

    def _momenta(self, collection: str, array: Tensor) -> Tensor:
        places = [self.features[collection].index(name) for name in KINEMATICS]
        pt, eta, phi, energy = (array[..., place : place + 1] for place in places)
        return momentum(pt, eta, phi, energy, axis=-1)


class Frame(NamedTuple):
    """How the coordinates of a batch are taken.

    `leads` (n,) says whether the positive lepton has the larger pT, `axes` (n, 3, 3) are the unit
    vectors of the view of the lepton that has it, `met` (n, 2) is along the first two of them. MET
    and scales (6,) are in GeV.
    """

    leads: Tensor
    axes: Tensor
    met: Tensor
    scales: Tensor


def frame_of(seen: Seen, scales: Scales) -> Frame:
    """Return the frame of each event; `scales` as of `Normalisation`, in GeV."""
    pt = transverse(seen["leptons"])
    leads = pt[:, 0] >= pt[:, 1]
    axes = leading(leads, seen["axes"])
    one_way, _, along = scales
    both_ways = math.sqrt(2.0) * one_way
    row = [SHARE_OF_MET * one_way] * 2 + [both_ways] * 2 + [along] * 2
    met = ops.einsum("nab,nb->na", axes[:, :2, :2], seen["met"])
    return Frame(leads, axes, met, ops.convert_to_tensor(row, "float32"))


def leading(leads: Tensor, of_both: Tensor) -> Tensor:
    """Return what belongs to the lepton with the larger pT, of (n, 2, ...)."""
    return _choose(leads, of_both[:, 0], of_both[:, 1])


def trailing(leads: Tensor, of_both: Tensor) -> Tensor:
    """Return what belongs to the other lepton, of (n, 2, ...)."""
    return _choose(leads, of_both[:, 1], of_both[:, 0])


def to_coordinates(momenta: Tensor, frame: Frame) -> tuple[Tensor, Tensor]:
    """Return coordinates (n, samples, 6) and the log of their density in the momenta's.

    With the neutrino of the leading lepton first, along the axes of that lepton's view:
    what the sum of both has in px and py beyond MET, the difference of the two in px and
    py, and pz of each; all by asinh(p / scale). The momenta are (n, samples, 2, 3) in GeV along
    the detector's axes, the neutrino first.
    """
    turned = ops.einsum("nab,nsvb->nsva", frame.axes, momenta)
    ordered = ops.swapaxes(turned, 1, 2)
    first, second = leading(frame.leads, ordered), trailing(frame.leads, ordered)
    linear = ops.concatenate(
        [
            first[..., :2] + second[..., :2] - ops.expand_dims(frame.met, 1),
            first[..., :2] - second[..., :2],
            first[..., 2:],
            second[..., 2:],
        ],
        axis=-1,
    )
    scaled = linear / frame.scales
    # Sum and difference in px and in py: a determinant of two each.
    density = -ops.sum(0.5 * ops.log1p(ops.square(scaled)) + ops.log(frame.scales), axis=-1)
    return ops.arcsinh(scaled), density + 2.0 * math.log(2.0)


def to_momenta(coordinates: Tensor, frame: Frame) -> Tensor:
    """Return the momenta (n, samples, 2, 3) of which these are the coordinates."""
    linear = 0.5 * (ops.exp(coordinates) - ops.exp(-coordinates)) * frame.scales
    total = linear[..., :2] + ops.expand_dims(frame.met, 1)
    difference = linear[..., 2:4]
    first = ops.concatenate([0.5 * (total + difference), linear[..., 4:5]], axis=-1)
    second = ops.concatenate([0.5 * (total - difference), linear[..., 5:6]], axis=-1)
    in_order = [_choose(frame.leads, first, second), _choose(frame.leads, second, first)]
    return ops.einsum("nab,nsva->nsvb", frame.axes, ops.stack(in_order, axis=2))


def _choose(which: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    return ops.where(ops.reshape(which, (-1, *[1] * (len(yes.shape) - 1))), yes, no)
