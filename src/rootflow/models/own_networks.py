"""Networks of one's own: what a function that the configuration names makes of our inputs."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from rootflow.config import OwnNetworkConfig, OwnReconstructionNetworkConfig
from rootflow.config.plugin import WHAT
from rootflow.errors import UsageError
from rootflow.models.kinematics import Tensor
from rootflow.plugins import resolve


def build_own_classifier(
    config: OwnNetworkConfig, inputs: Mapping[str, Tensor], masks: Mapping[str, Tensor]
) -> Tensor:
    """Return what a function of one's own makes of the standardised inputs.

    The function is called as `build(inputs, masks, **settings)`. `inputs` has an array
    (n, slots, columns) or (n, columns) for each collection, standardised, in float64 and
    zero in slots that are not filled; `masks` (n, slots) which are filled, of those
    collections whose number of objects varies. It returns (n, features).

    Raises
    ------
    UsageError
        There is no such function, it fails, or it returns something else.
    """
    made = _call(config, inputs, masks)
    if not _is_tensor(made, (None,)):
        raise _returns(config, made, "a tensor (events, features) that is")
    return made


def build_own_views(
    config: OwnReconstructionNetworkConfig, seen: Mapping[str, Tensor], jet_mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Return what a function of one's own makes of each view of an event.

    The function is called as `build(inputs, masks, **settings)` and sees one view: `inputs` has
    `jets` (n, J, columns), `leptons` (n, 2, columns), that which looks first, and `met`
    (n, 1, columns) where the network is given any, standardised; `masks` has `jets` (n, J). It
    returns features (n, J, features) of each jet and (n, features) of the view.

    Returns
    -------
    Features of jets (n, 2, J, features) and of views (n, 2, features).

    Raises
    ------
    UsageError
        There is no such function, it fails, or it returns something else.
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
