"""Losses of one's own: functions that the configuration names."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from rootflow.errors import UsageError
from rootflow.models.kinematics import Tensor
from rootflow.models.losses import Loss
from rootflow.models.neutrinos.losses import Loss as NeutrinoLoss
from rootflow.models.neutrinos.losses import Truth
from rootflow.plugins import resolve

EVENTS, JETS = 3, 4


class OwnLosses(NamedTuple):
    """Functions of one's own, by what their losses are called.

    Attributes
    ----------
    assignment
        Of true slots (n, 2), -1 where there is no such jet, and probabilities (n, J, J).
    neutrinos
        Of momenta (n, 2, 3) in GeV and the `Truth`.
    """

    assignment: Mapping[str, Loss] = {}
    neutrinos: Mapping[str, NeutrinoLoss] = {}


NO_OWN_LOSSES = OwnLosses()


class OwnLoss(keras.Loss):  # type: ignore[misc]
    """The loss of a classifier by a function of its target and what it says."""

    def __init__(self, function: Loss) -> None:
        super().__init__()
        self.call = function


def own_assignment_loss(name: str, what: str) -> Loss:
    """Return a function of one's own that is a loss of jets.

    Raises
    ------
    UsageError
        There is no such function, it fails, or it returns something else.
    """
    slots = ops.convert_to_tensor([[0, 1], [2, -1], [-1, -1]], "int32")
    return _tried(name, what, slots, ops.full((EVENTS, JETS, JETS), 1 / JETS**2))


def own_neutrino_loss(name: str, what: str) -> NeutrinoLoss:
    """Return the same of the neutrinos' momenta."""
    values = np.random.default_rng(1).uniform(20, 40, (4, EVENTS, 2, 4))
    neutrinos, leptons, b_jets, said = (ops.convert_to_tensor(each, "float32") for each in values)
    truth = Truth(
        neutrinos=neutrinos[..., :3],
        leptons=leptons,
        b_jets=b_jets,
        known=ops.ones((EVENTS, 2)),
        visible=ops.sum(leptons + b_jets, axis=1),
        scales=ops.full((3,), 50.0),
    )
    return _tried(name, what, said[..., :3], truth)


def own_classifier_loss(name: str, what: str, classes: int) -> OwnLoss:
    """Return the same of a classifier."""
    columns = 1 if classes == 2 else classes
    said = ops.full((EVENTS, columns), 1 / classes)
    return OwnLoss(_tried(name, what, ops.eye(EVENTS, columns), said))


def _tried(name: str, what: str, *given: Any) -> Callable[..., Tensor]:
    """Return the function once it gave one finite number for each of a few events."""
    function = resolve(name, what)
    try:
        said = np.asarray(ops.convert_to_numpy(function(*given)))
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        raise UsageError(f"{what}: {name} failed: {reason}") from None
    if said.shape != (EVENTS,) or not np.all(np.isfinite(said)):
        found = f"numbers that are not finite, {said}" if said.shape == (EVENTS,) else said.shape
        raise UsageError(
            f"{what}: {name} returns {found} for {EVENTS} events: it has to return one finite "
            f"number for each, (n,)"
        )
    return function
