"""Networks and losses of one's own: functions that the configuration names.

One that is not there, fails or returns something else is a UsageError.
"""

from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from rootflow.config import OwnNetworkConfig
from rootflow.config.model import OwnReconstructionNetworkConfig
from rootflow.config.plugin import WHAT
from rootflow.errors import UsageError
from rootflow.models.kinematics import Tensor
from rootflow.models.losses import Loss, LossOf
from rootflow.models.neutrinos.losses import Loss as NeutrinoLoss
from rootflow.models.neutrinos.losses import Truth
from rootflow.plugins import resolve

# Of the events that a loss is tried on.
EVENTS, JETS = 3, 4


def build_own_classifier(
    config: OwnNetworkConfig, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor]
) -> Tensor:
    """Return what `build(inputs, masks, **settings)` of one's own makes of an event.

    `inputs` has an array (n, slots, columns) or (n, columns) for each collection, standardised, in
    float64 and zero in slots that are not filled; `masks` (n, slots) which are filled, of those
    collections whose number of objects varies. It returns (n, features).
    """
    made = _call(config, inputs, masks)
    if not _is_tensor(made, (None,)):
        raise _returns(config, made, "a tensor (events, features) that is")
    return made


def build_own_views(
    config: OwnReconstructionNetworkConfig, seen: Mapping[str, Tensor], jet_mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Return features of jets (n, 2, J, features) and of views (n, 2, features) by one's own.

    `build(inputs, masks, **settings)` sees one view: `inputs` has `jets` (n, J, columns), `leptons`
    (n, 2, columns), that which looks first, and `met` (n, 1, columns) where the network is given
    any, standardised; `masks` has `jets` (n, J). It returns features (n, J, features) of each jet
    and (n, features) of the view.
    """
    jets = jet_mask.shape[1]
    inputs = {
        name: ops.reshape(seen[name], (-1, *seen[name].shape[2:]))
        for name in ("jets", "leptons", "met")
        if name in seen
    }
    mask = ops.reshape(ops.repeat(jet_mask[:, None], 2, axis=1), (-1, jets))
    made = _call(config, inputs, {"jets": mask})
    if (
        not isinstance(made, tuple)
        or len(made) != 2
        or not (_is_tensor(made[0], (jets, None)) and _is_tensor(made[1], (None,)))
    ):
        raise _returns(config, made, f"tensors (n, {jets}, features) and (n, features) that are")
    of_jets, of_view = (ops.reshape(each, (-1, 2, *each.shape[1:])) for each in made)
    return of_jets, of_view


def _call(
    config: OwnNetworkConfig, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor]
) -> Any:
    build = resolve(config.architecture, WHAT)
    try:
        return build(dict(inputs), dict(masks), **config.settings)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"{WHAT}: {config.architecture} failed: {reason}") from None


def _is_tensor(made: Any, shape: tuple[int | None, ...]) -> bool:
    """Return whether it is a tensor of events of this shape, None being any known size."""
    if not isinstance(made, keras.KerasTensor) or len(made.shape) != len(shape) + 1:
        return False
    return all(
        size is not None and wanted in (None, size)
        for size, wanted in zip(made.shape[1:], shape, strict=True)
    )


def _returns(config: OwnNetworkConfig, made: Any, wanted: str) -> UsageError:
    def in_words(part: Any) -> str:
        is_tensor = isinstance(part, keras.KerasTensor)
        return f"a tensor {part.shape}" if is_tensor else str(type(part))

    found = " and ".join(map(in_words, made)) if isinstance(made, tuple) else in_words(made)
    return UsageError(
        f"{WHAT}: {config.architecture} returns {found}: it has to return {wanted} made of its "
        f"inputs by layers and keras.ops"
    )


def own_assignment_loss(name: str, what: str) -> Loss:
    """Return a function that is a loss of jets; one that fails when tried is a UsageError.

    It is of true slots (n, 2), -1 where there is no such jet, and probabilities (n, J, J).
    """
    slots = ops.convert_to_tensor([[0, 1], [2, -1], [-1, -1]], "int32")
    return _tried(name, what, slots, ops.full((EVENTS, JETS, JETS), 1 / JETS**2))


def own_neutrino_loss(name: str, what: str) -> NeutrinoLoss:
    """Return the same of the neutrinos: of momenta (n, 2, 3) in GeV and the `Truth`."""
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


def own_classifier_loss(name: str, what: str, classes: int) -> LossOf:
    """Return the same of a classifier."""
    columns = 1 if classes == 2 else classes
    said = ops.full((EVENTS, columns), 1 / classes)
    return LossOf(_tried(name, what, ops.eye(EVENTS, columns), said))


def _tried(name: str, what: str, *given: Any) -> Callable[..., Tensor]:
    """Return the function once it gave one finite number for each of a few events.

    As when it trains it is asked by a graph, in which no condition is on the content of a tensor.
    """
    function = resolve(name, what)
    try:
        said = np.asarray(ops.convert_to_numpy(tf.function(function, autograph=False)(*given)))
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
