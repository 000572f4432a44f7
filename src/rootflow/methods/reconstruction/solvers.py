"""Methods that solve the kinematics of both decays for the neutrinos.

Every ordered pair of eligible jets is solved; the pair that the method likes best among those
with a solution is taken, and an event without any is not solved.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.methods.contract import Reconstruction
from rootflow.methods.reconstruction.eligible import EligibleJets
from rootflow.methods.reconstruction.objects import event_hash, feature, four_momenta
from rootflow.methods.reconstruction.others import Assignment
from rootflow.methods.reconstruction.pairing import ordered_pairs
from rootflow.physics.kinematics import FloatArray

EVENTS_AT_ONCE = 4096


class Pairs(NamedTuple):
    """Pairs of jets as those of b and bbar, each with the rest of its event.

    Jets and leptons are four-momenta (pairs, 2, 4) in GeV, the MET is px, py (pairs, 2) in GeV,
    and seeds (pairs,) are of the event.
    """

    b_jets: FloatArray
    leptons: FloatArray
    met: FloatArray
    seeds: NDArray[np.uint64]


class Solutions(NamedTuple):
    """Neutrinos (pairs, 2, 3) in GeV, NaN without a solution, and how much each pair is liked.

    `likes` (pairs,) are comparable within an event.
    """

    neutrinos: FloatArray
    likes: FloatArray


Solve = Callable[[Pairs], Solutions]


@dataclass(frozen=True)
class SolverReconstructor:
    """A method that solves for the neutrinos of all pairs of eligible jets.

    The seed is of what the method throws. The score is how much it likes the pair or, where it
    `shares`, the pair's share of what it likes in the event.
    """

    name: str
    description: str
    solve: Solve
    eligible: EligibleJets
    seed: int
    shares: bool

    def answer(self, events: Events) -> Reconstruction:
        """Return the pair that the method likes best, and its neutrinos."""
        parts = [self._reconstruct(part) for part in _batches(events)]
        return Reconstruction(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))

    def neutrinos(self, events: Events, assignment: Assignment | None) -> NDArray[np.float32]:
        """Return the neutrinos (n, 2, 3) in GeV for these jets, or for the method's own.

        NaN where there are no jets or no solution.
        """
        if assignment is None:
            assignment = self.answer(events).assignment
        neutrinos = np.full((len(events), 2, 3), np.nan, np.float32)
        assigned = np.flatnonzero(np.all(assignment >= 0, axis=1))
        pairs = self._pairs(events, assigned, assignment[assigned].astype(np.int64))
        neutrinos[assigned] = self.solve(pairs).neutrinos
        return neutrinos

    def _reconstruct(self, events: Events) -> Reconstruction:
        event, first, second = np.nonzero(ordered_pairs(self.eligible.of(events)))
        slots = np.stack([first, second], axis=1)
        found = self.solve(self._pairs(events, event, slots))
        has_solution = np.all(np.isfinite(found.neutrinos), axis=(1, 2))
        likes = np.where(has_solution, found.likes, -np.inf)
        order = np.lexsort((-likes, event))
        events_with_pairs, place = np.unique(event[order], return_index=True)
        best = order[place]
        best, solved_events = (array[has_solution[best]] for array in (best, events_with_pairs))
        scores = likes[best]
        if self.shares:
            totals = np.bincount(event[has_solution], likes[has_solution], len(events))
            scores = scores / totals[solved_events]
        assignment = np.full((len(events), 2), -1, np.int32)
        neutrinos = np.full((len(events), 2, 3), np.nan, np.float32)
        all_scores = np.full(len(events), np.nan, np.float32)
        assignment[solved_events] = slots[best]
        neutrinos[solved_events] = found.neutrinos[best]
        all_scores[solved_events] = scores
        return Reconstruction(assignment, neutrinos, all_scores, np.isfinite(all_scores))

    def _pairs(self, events: Events, event: NDArray[np.int64], slots: NDArray[np.int64]) -> Pairs:
        pt, phi = (feature(events, "met", name)[event].astype(np.float64) for name in ("pt", "phi"))
        return Pairs(
            b_jets=four_momenta(events, "jets")[event[:, np.newaxis], slots],
            leptons=four_momenta(events, "leptons")[event],
            met=np.stack([pt * np.cos(phi), pt * np.sin(phi)], axis=1),
            seeds=event_hash(events, self.seed)[event],
        )


def _batches(events: Events) -> Iterator[Events]:
    for start in range(0, max(len(events), 1), EVENTS_AT_ONCE):
        yield events.take(slice(start, start + EVENTS_AT_ONCE))
