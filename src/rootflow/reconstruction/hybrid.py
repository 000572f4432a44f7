"""The jets of one method and the neutrinos of another, and answers that are used twice."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rootflow.dataset.events import Events
from rootflow.reconstruction.contract import Reconstruction, Reconstructor
from rootflow.reconstruction.neutrinos import neutrinos_of


@dataclass(frozen=True)
class HybridReconstructor:
    """The jets of one method and the neutrinos of another, a solver's for these jets.

    The score is that of the jets' method. An event is solved where both have an answer.
    """

    assignment: Reconstructor
    source: Reconstructor
    name: str = "hybrid"

    @property
    def description(self) -> str:
        """What it does, in one sentence."""
        return f"the jets of {self.assignment.name} and the neutrinos of {self.source.name}"

    def reconstruct(self, events: Events) -> Reconstruction:
        """Return both; where one of them has no answer, the event is not solved.

        Raises
        ------
        InputError
            One of the methods may not be applied to the events.
        UsageError
            The neutrinos' method gives none.
        """
        answer = self.assignment.reconstruct(events)
        neutrinos = neutrinos_of(self.source, events, answer.assignment)
        solved = answer.solved & np.all(np.isfinite(neutrinos), axis=(1, 2))
        return Reconstruction(
            assignment=np.where(solved[:, np.newaxis], answer.assignment, np.int32(-1)),
            neutrinos=np.where(solved[:, np.newaxis, np.newaxis], neutrinos, np.float32(np.nan)),
            scores=np.where(solved, answer.scores, np.float32(np.nan)),
            solved=solved,
        )


class RememberingReconstructor:
    """A method that remembers what it last said, for methods that are made of it.

    It has all that the method has: its parameters, its posterior.
    """

    def __init__(self, method: Reconstructor) -> None:
        self._method = method
        self._last: tuple[Events, Reconstruction] | None = None

    @property
    def name(self) -> str:
        """The method's."""
        return self._method.name

    def __getattr__(self, attribute: str) -> Any:
        # Only asked for what is not found here; a copy that is not filled yet has no method.
        if attribute == "_method":
            raise AttributeError(attribute)
        return getattr(self._method, attribute)

    def reconstruct(self, events: Events) -> Reconstruction:
        """Return what the method says; of the very same events, without asking again."""
        if self._last is None or self._last[0] is not events:
            self._last = (events, self._method.reconstruct(events))
        return self._last[1]
