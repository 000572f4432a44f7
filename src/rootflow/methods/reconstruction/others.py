"""Methods that are made of others: the neutrinos of one go with the jets of another."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.errors import InputError, UsageError
from rootflow.methods.contract import Reconstruction, Reconstructor
from rootflow.methods.reconstruction.eligible import EligibleJets
from rootflow.methods.reconstruction.objects import four_momenta
from rootflow.methods.reconstruction.pairing import cheapest
from rootflow.physics.kinematics import FloatArray, invariant_mass, massless

Assignment = NDArray[np.int32]


@runtime_checkable
class NeutrinoMethod(Protocol):
    """A method whose neutrinos do not come with its own assignment only."""

    @property
    def name(self) -> str:
        """As in its entry of the configuration."""

    def neutrinos(self, events: Events, assignment: Assignment | None) -> NDArray[np.float32]:
        """Return the neutrinos (n, 2, 3) in GeV for these jets, NaN where there are none.

        `assignment` (n, 2) has the slots of the jets of b and bbar, -1 where there are none; None
        leaves them to the method.
        """


def neutrinos_of(
    method: Reconstructor | NeutrinoMethod, events: Events, assignment: Assignment | None = None
) -> NDArray[np.float32]:
    """Return a method's neutrinos (n, 2, 3) in GeV, NaN where it has none.

    They are for the jets of `assignment` (n, 2) where the method can find them for any; a network
    gives its own. A method that never has neutrinos is a UsageError.
    """
    if isinstance(method, NeutrinoMethod):
        return method.neutrinos(events, assignment)
    found = method.answer(events).neutrinos
    if found is None:
        raise UsageError(f"the method {method.name} gives no neutrinos: name another one for them")
    return found


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
        """Return both; where one of them has no answer, the event is not solved."""
        answer = self.assignment.answer(events)
        neutrinos = neutrinos_of(self.source, events, answer.assignment)
        solved = answer.solved & np.all(np.isfinite(neutrinos), axis=(1, 2))
        return Reconstruction.where(solved, answer.assignment, neutrinos, answer.scores)


@dataclass(frozen=True)
class TopMassReconstructor:
    """The pair of eligible jets of the smallest sum of ((m(b l nu) - m_t) / sigma)^2.

    The score is by how much that of the next best pair is larger.
    """

    source: Reconstructor | NeutrinoMethod
    eligible: EligibleJets
    top_mass_gev: float
    sigma_gev: float
    name: str

    @property
    def description(self) -> str:
        """What it does, in one sentence."""
        return (
            f"{self.eligible.description}, those whose top masses are closest to "
            f"{self.top_mass_gev:g} GeV with the neutrinos of {self.source.name}"
        )

    def answer(self, events: Events) -> Reconstruction:
        """Return the pair and the neutrinos; where there are none, the event is not solved."""
        neutrinos = neutrinos_of(self.source, events)
        costs = ((_top_masses(events, neutrinos) - self.top_mass_gev) / self.sigma_gev) ** 2
        answer = cheapest(costs, self.eligible.of(events), "sum")
        return Reconstruction.where(answer.solved, answer.assignment, neutrinos, answer.scores)

    def neutrinos(self, events: Events, assignment: Assignment | None) -> NDArray[np.float32]:
        """Return the neutrinos of the source."""
        return neutrinos_of(self.source, events, assignment)


@dataclass(frozen=True)
class NtupleNeutrinos:
    """The neutrinos that the ntuple itself holds."""

    name: str = "branches"

    def neutrinos(self, events: Events, assignment: Assignment | None) -> NDArray[np.float32]:
        """Return those of the ntuple, whatever the jets; a map that names none is an InputError."""
        del assignment
        if events.reconstructed_neutrinos is None:
            raise InputError(
                "the method branches needs neutrinos in the ntuple, this dataset has none: name "
                "their branches under `neutrinos` in the branch map, as topcptoolkit_nuflows does"
            )
        return events.reconstructed_neutrinos


def _top_masses(events: Events, neutrinos: NDArray[np.float32]) -> FloatArray:
    """Return m(b l nu) (n, 2, max_jets) of each jet as that of b and as that of bbar, GeV."""
    leptons = four_momenta(events, "leptons") + massless(neutrinos)
    jets = four_momenta(events, "jets")
    return invariant_mass(jets[:, np.newaxis] + leptons[:, :, np.newaxis])
