"""Jets by the mass of the top quarks, given the neutrinos."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.errors import InputError
from rootflow.methods.contract import Reconstruction, Reconstructor
from rootflow.methods.reconstruction.eligible import EligibleJets
from rootflow.methods.reconstruction.neutrinos import Assignment, NeutrinoMethod, neutrinos_of
from rootflow.methods.reconstruction.objects import four_momenta
from rootflow.methods.reconstruction.pairing import cheapest
from rootflow.physics.kinematics import FloatArray, invariant_mass, massless


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
        """Return the pair and the neutrinos; where there are none, the event is not solved.

        Raises
        ------
        InputError
            The events do not have what the neutrinos' source needs.
        UsageError
            The source gives no neutrinos.
        """
        neutrinos = neutrinos_of(self.source, events)
        costs = ((_top_masses(events, neutrinos) - self.top_mass_gev) / self.sigma_gev) ** 2
        answer = cheapest(costs, self.eligible.of(events), "sum")
        kept = np.where(answer.solved[:, np.newaxis, np.newaxis], neutrinos, np.nan)
        return answer._replace(neutrinos=kept.astype(np.float32))

    def neutrinos(self, events: Events, assignment: Assignment | None) -> NDArray[np.float32]:
        """Return the neutrinos of the source."""
        return neutrinos_of(self.source, events, assignment)


@dataclass(frozen=True)
class NtupleNeutrinos:
    """The neutrinos that the ntuple itself holds."""

    name: str = "branches"

    def neutrinos(self, events: Events, assignment: Assignment | None) -> NDArray[np.float32]:
        """Return those of the ntuple, whatever the jets.

        Raises
        ------
        InputError
            The branch map names none.
        """
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
