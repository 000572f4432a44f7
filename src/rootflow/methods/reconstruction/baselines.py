"""The least and the most that a method can know, and methods that are made of others."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rootflow.config.methods import EligibleJetsBlock
from rootflow.dataset.events import Events
from rootflow.errors import InputError, UsageError
from rootflow.methods.contract import Reconstruction, Reconstructor
from rootflow.methods.reconstruction.objects import event_hash, four_momenta
from rootflow.methods.reconstruction.pairing import (
    cheapest,
    eligible_jets,
    mass_with_jets,
    words_of,
)
from rootflow.physics.kinematics import massless

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
    eligible: EligibleJetsBlock
    top_mass_gev: float
    sigma_gev: float
    name: str

    @property
    def description(self) -> str:
        """What it does, in one sentence."""
        return (
            f"{words_of(self.eligible)}, those whose top masses are closest to "
            f"{self.top_mass_gev:g} GeV with the neutrinos of {self.source.name}"
        )

    def answer(self, events: Events) -> Reconstruction:
        """Return the pair and the neutrinos; where there are none, the event is not solved."""
        neutrinos = neutrinos_of(self.source, events)
        leptons = four_momenta(events, "leptons") + massless(neutrinos)
        costs = ((mass_with_jets(events, leptons) - self.top_mass_gev) / self.sigma_gev) ** 2
        answer = cheapest(costs, eligible_jets(events, self.eligible), "sum")
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


@dataclass(frozen=True)
class TruthReconstructor:
    """The true assignment and neutrinos, of events with both b jets matched.

    What its m(ttbar) lacks in resolution is due to the jets and leptons alone.
    """

    name: str = "truth"
    description: str = "the jets matched to the true b quarks, and the true neutrinos"

    def answer(self, events: Events) -> Reconstruction:
        """Return what was generated; events of data are an InputError."""
        assignment, neutrinos = _generated(events.assignment), _generated(events.neutrinos)
        return Reconstruction.where(events.matched, assignment, neutrinos, 1.0)

    def neutrinos(self, events: Events, assignment: Assignment | None) -> NDArray[np.float32]:
        """Return the true neutrinos, whatever the jets; also of events that are not matched."""
        del assignment
        return _generated(events.neutrinos)


def _generated(truth: NDArray[Any] | None) -> NDArray[Any]:
    if truth is None:
        raise InputError("the method truth needs simulated events, these have no truth")
    return truth


@dataclass(frozen=True)
class RandomReconstructor:
    """Two different jets, every ordered pair of an event equally likely.

    The draw is a hash of seed and event identity, so that it depends neither on the
    order of the events nor on their company. The score is the probability of the pair.
    """

    seed: int
    name: str = "random"
    description: str = "two different jets of the event, drawn at random"

    def answer(self, events: Events) -> Reconstruction:
        """Return a random pair; events with fewer than two jets are not solved."""
        jets = np.sum(events.jet_mask, axis=1).astype(np.uint64)
        solved = jets >= 2
        others = np.where(solved, jets - 1, 1).astype(np.uint64)
        pairs = np.where(solved, jets, 1).astype(np.uint64) * others
        first, second = np.divmod(event_hash(events, self.seed) % pairs, others)
        second += second >= first
        existing = np.argsort(~events.jet_mask, axis=1, kind="stable")
        drawn = np.stack([first, second], axis=1).astype(np.int64)
        slots = np.take_along_axis(existing, np.where(solved[:, np.newaxis], drawn, 0), axis=1)
        return Reconstruction.where(solved, slots, None, 1 / pairs)
