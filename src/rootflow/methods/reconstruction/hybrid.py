"""The jets of one method and the neutrinos of another."""

from dataclasses import dataclass

import numpy as np

from rootflow.dataset.events import Events
from rootflow.methods.contract import Reconstruction, Reconstructor
from rootflow.methods.reconstruction.neutrinos import neutrinos_of


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

    def answer(self, events: Events) -> Reconstruction:
        """Return both; where one of them has no answer, the event is not solved.

        Raises
        ------
        InputError
            One of the methods may not be applied to the events.
        UsageError
            The neutrinos' method gives none.
        """
        answer = self.assignment.answer(events)
        neutrinos = neutrinos_of(self.source, events, answer.assignment)
        solved = answer.solved & np.all(np.isfinite(neutrinos), axis=(1, 2))
        return Reconstruction(
            assignment=np.where(solved[:, np.newaxis], answer.assignment, np.int32(-1)),
            neutrinos=np.where(solved[:, np.newaxis, np.newaxis], neutrinos, np.float32(np.nan)),
            scores=np.where(solved, answer.scores, np.float32(np.nan)),
            solved=solved,
        )
