"""The neutrinos of a method, for the jets of another one."""

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.errors import UsageError
from rootflow.methods.contract import Reconstructor

Assignment = NDArray[np.int32]


@runtime_checkable
class NeutrinoMethod(Protocol):
    """A method whose neutrinos do not come with its own assignment only."""

    @property
    def name(self) -> str:
        """As in its entry of the configuration."""

    def neutrinos(self, events: Events, assignment: Assignment | None) -> NDArray[np.float32]:
        """Return the neutrinos for these jets.

        Parameters
        ----------
        assignment
            (n, 2) slots of the jets of b and bbar, -1 where there are none; None leaves
            them to the method.

        Returns
        -------
        (n, 2, 3) in GeV, NaN where there are none.
        """


def neutrinos_of(
    method: Reconstructor | NeutrinoMethod, events: Events, assignment: Assignment | None = None
) -> NDArray[np.float32]:
    """Return a method's neutrinos (n, 2, 3) in GeV, NaN where it has none.

    Parameters
    ----------
    assignment
        (n, 2) the jets to find them for, where the method can; a network gives its own.

    Raises
    ------
    UsageError
        The method never has neutrinos.
    """
    if isinstance(method, NeutrinoMethod):
        return method.neutrinos(events, assignment)
    found = method.answer(events).neutrinos
    if found is None:
        raise UsageError(f"the method {method.name} gives no neutrinos: name another one for them")
    return found
