"""The mean of several networks."""

from collections.abc import Sequence
from typing import cast

import numpy as np

from rootflow.dataset.events import Events
from rootflow.errors import UsageError
from rootflow.reconstruction.contract import (
    NetworkOutputs,
    NetworkReconstructor,
    Reconstruction,
    Reconstructor,
)
from rootflow.reconstruction.decode import decode


class EnsembleReconstructor:
    """A deep ensemble: networks that were trained each by itself, as from other first weights.

    Its joint probability of a pair of jets is the mean of theirs, and so are its momenta and,
    where all networks have one, its confidence (B. Lakshminarayanan et al., arXiv:1612.01474,
    section 2.4: the prediction is that of the uniform mixture).

    Parameters
    ----------
    name
        Under which its metrics are logged.
    networks
        At least two, each of which may be applied to the same events.
    """

    def __init__(self, name: str, networks: Sequence[NetworkReconstructor]) -> None:
        self.name = name
        self._networks = tuple(networks)

    @property
    def description(self) -> str:
        """What it does, in one sentence."""
        return f"the mean of {', '.join(network.name for network in self._networks)}"

    @property
    def parameters(self) -> int | None:
        """How many numbers were fitted in all networks, None where that is not known of one."""
        each = [network.parameters for network in self._networks]
        known = [count for count in each if count is not None]
        return sum(known) if len(known) == len(each) else None

    def reconstruct(self, events: Events) -> Reconstruction:
        """Return the assignment that is most probable in the mean, and the mean momenta.

        Raises
        ------
        InputError
            One of the networks may not be applied to the events.
        """
        return decode(self.outputs(events), events.jet_mask)

    def outputs(self, events: Events) -> NetworkOutputs:
        """Return the mean of what the networks say; errors as of `reconstruct`."""
        said = [network.outputs(events) for network in self._networks]
        confidence = [each.confidence for each in said if each.confidence is not None]
        return NetworkOutputs(
            np.mean([each.assignment for each in said], axis=0),
            np.mean([each.neutrinos for each in said], axis=0),
            np.mean(confidence, axis=0) if len(confidence) == len(said) else None,
        )


def network(method: Reconstructor) -> NetworkReconstructor:
    """Return the method as a network.

    Raises
    ------
    UsageError
        It is none.
    """
    if not hasattr(method, "outputs"):
        raise UsageError(f"{method.name} is no network: an ensemble is made of networks")
    return cast(NetworkReconstructor, method)
