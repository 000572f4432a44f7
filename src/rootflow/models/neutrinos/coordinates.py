"""The six coordinates in which a flow describes the two neutrinos."""

import math
from typing import NamedTuple

from keras import ops

from rootflow.models.kinematics import Tensor, transverse
from rootflow.models.neutrinos.seen import Seen

# The sum of the neutrinos is known to the resolution of MET, a part of their own size.
SHARE_OF_MET = 0.5


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


def frame_of(seen: Seen, scales: tuple[float, float]) -> Frame:
    """Return the frame of each event; `scales` as of `Normalisation`, in GeV."""
    pt = transverse(seen["leptons"])
    leads = pt[:, 0] >= pt[:, 1]
    axes = leading(leads, seen["axes"])
    one_way, along = scales
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
