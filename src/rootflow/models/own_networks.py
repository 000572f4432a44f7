"""Networks of one's own: what a function that the configuration names makes of our inputs."""

from collections.abc import Mapping

import keras

from rootflow.config import OwnNetworkConfig
from rootflow.config.plugin import WHAT
from rootflow.errors import UsageError
from rootflow.models.kinematics import Tensor
from rootflow.plugins import resolve


def build_own(
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
    build = resolve(config.architecture, WHAT)
    try:
        made = build(dict(inputs), dict(masks), **config.settings)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"{WHAT}: {config.architecture} failed: {reason}") from None
    if not isinstance(made, keras.KerasTensor) or len(made.shape) != 2 or None in made.shape[1:]:
        found = f"a tensor {made.shape}" if isinstance(made, keras.KerasTensor) else type(made)
        raise UsageError(
            f"{WHAT}: {config.architecture} returns {found}: it has to return a tensor "
            f"(events, features) that is made of its inputs by layers and keras.ops"
        )
    return made
