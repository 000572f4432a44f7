"""The inputs of a classifier in a row, as decision trees take them."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from rootflow.config import InputsConfig
from rootflow.dataset.events import Features
from rootflow.models.classifier_inputs import MUON, chosen_inputs
from rootflow.models.kinematics import Tensor

# Not infinite: ONNX graphs choose by multiplying with 0 or 1.
BELOW_ANY_ANGLE = -1000.0


def in_a_row(
    arrays: Mapping[str, Tensor], inputs: InputsConfig, features: Features, xp: Any = np
) -> Tensor:
    """Return what trees see of events: lepton by lepton, then the event.

    Trees ask only whether a value is above another one, so logarithms would change nothing
    and everything stays as it is, but for two features of leptons: `phi` is the angle
    from the lepton of largest pT, from -pi to pi, and `pdg_id` becomes 1 or 0 for muon or
    electron, and the charge. All of it is exact in float32, in numpy as elsewhere: rounding
    would send events that are next to a threshold the other way.

    Parameters
    ----------
    arrays
        `leptons` (n, 4, features) and `event` (n, features) as `Events` has them.
    inputs
        The features that are seen; see `refuse_unknown_inputs`.
    features
        Names along the last axis of each.
    xp
        numpy or keras.ops, of which the arrays are.

    Returns
    -------
    (n, columns) float32.
    """
    chosen = chosen_inputs(inputs)
    columns: list[Tensor] = []
    if "leptons" in chosen:
        leptons = arrays["leptons"]
        lepton = {name: leptons[..., place] for place, name in enumerate(features["leptons"])}
        seen = [column for name in chosen["leptons"] for column in _see(name, lepton, xp)]
        columns += [column[:, slot] for slot in range(leptons.shape[1]) for column in seen]
    for name in chosen.get("event", ()):
        columns.append(arrays["event"][:, features["event"].index(name)])
    return xp.stack(columns, axis=-1)


def _see(name: str, lepton: Mapping[str, Tensor], xp: Any) -> list[Tensor]:
    value = lepton[name]
    if name == "phi":
        return [_from_the_leading(value, lepton["pt"], xp)]
    if name == "pdg_id":
        one, zero = xp.ones_like(value), xp.zeros_like(value)
        return [xp.where(xp.equal(xp.abs(value), MUON), one, zero), -xp.sign(value)]
    return [value]


def _from_the_leading(phi: Tensor, pt: Tensor, xp: Any) -> Tensor:
    is_leading = xp.equal(pt, xp.max(pt, axis=1, keepdims=True))
    lowest = xp.full_like(phi, BELOW_ANY_ANGLE)
    angle = phi - xp.max(xp.where(is_leading, phi, lowest), axis=1, keepdims=True)
    turn = 2.0 * math.pi
    angle = xp.where(xp.greater(angle, math.pi), angle - turn, angle)
    return xp.where(xp.less_equal(angle, -math.pi), angle + turn, angle)
