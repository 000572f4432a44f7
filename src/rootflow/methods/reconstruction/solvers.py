"""Methods that solve the kinematics of both decays for the neutrinos.

Every ordered pair of eligible jets is solved; the pair that the method likes best among those
with a solution is taken, and an event without any is not solved.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.methods import (
    EligibleJetsBlock,
    EllipseConfig,
    NeutrinoWeightingConfig,
    SmearedEllipseConfig,
    SolverBlock,
    SonnenscheinConfig,
)
from rootflow.dataset.events import Events, pairs_of_jets
from rootflow.dataset.folds import batches
from rootflow.errors import UsageError
from rootflow.methods.contract import Reconstruction
from rootflow.methods.reconstruction.baselines import Assignment
from rootflow.methods.reconstruction.objects import event_hash, feature, four_momenta
from rootflow.methods.reconstruction.pairing import eligible_jets, words_of
from rootflow.physics.kinematics import FloatArray, invariant_mass
from rootflow.physics.neutrino_ellipses import neutrino_ellipses
from rootflow.physics.neutrino_weighting import neutrino_weighting
from rootflow.physics.smeared_ellipses import smeared_ellipses
from rootflow.physics.sonnenschein import quartic_solutions
from rootflow.physics.throws import Resolution
from rootflow.physics.ttbar import Solutions, top_pair, ttbar_mass

EVENTS_AT_ONCE = 4096
LIKED = {"m_lb": "larger m(lb)", "m_ttbar": "m(ttbar)"}


class Pairs(NamedTuple):
    """Pairs of jets as those of b and bbar, each with the rest of its event.

    Jets and leptons are four-momenta (pairs, 2, 4) in GeV, the MET is px, py (pairs, 2) in GeV,
    and seeds (pairs,) are of the event.
    """

    b_jets: FloatArray
    leptons: FloatArray
    met: FloatArray
    seeds: NDArray[np.uint64]


Solve = Callable[[Pairs], Solutions]
Exact = Callable[[FloatArray, FloatArray, FloatArray, float, float], FloatArray]


@dataclass(frozen=True)
class SolverReconstructor:
    """A method that solves for the neutrinos of all pairs of eligible jets.

    The seed is of what the method throws. The score is how much it likes the pair or, where it
    `shares`, the pair's share of what it likes in the event.
    """

    name: str
    description: str
    solve: Solve
    eligible: EligibleJetsBlock
    seed: int
    shares: bool

    def answer(self, events: Events) -> Reconstruction:
        """Return the pair that the method likes best, and its neutrinos."""
        parts = [self._reconstruct(part) for part in batches(events, EVENTS_AT_ONCE)]
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
        event, first, second = np.nonzero(pairs_of_jets(eligible_jets(events, self.eligible)))
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


def solver_of(block: SolverBlock, seed: int) -> SolverReconstructor:
    """Return the solver of these settings."""
    match block:
        case EllipseConfig():
            what, solve = _exact(block, "ellipses", neutrino_ellipses)
        case SonnenscheinConfig():
            what, solve = _exact(block, "Sonnenschein's quartic", quartic_solutions)
        case NeutrinoWeightingConfig():
            what = "the neutrinos' pseudorapidities that explain the MET best"
            solve = _weighting(block)
        case SmearedEllipseConfig():
            what = f"exact neutrinos averaged over {block.throws} throws with the weight of m(lb)"
            solve = _smeared(block)
        case _:
            raise UsageError(f"there is no method of the kind {type(block).__name__}")
    shares = isinstance(block, SmearedEllipseConfig)
    description = f"{words_of(block)}; {what}"
    return SolverReconstructor(block.name, description, solve, block, seed, shares)


def _exact(
    config: EllipseConfig | SonnenscheinConfig, by: str, solutions_of: Exact
) -> tuple[str, Solve]:
    """Return the solver whose up to four solutions are exact, described in words."""

    def solve(pairs: Pairs) -> Solutions:
        solutions = solutions_of(
            pairs.b_jets, pairs.leptons, pairs.met, config.top_mass_gev, config.w_mass_gev
        )
        masses = _ttbar_masses(pairs, solutions)
        best = np.argmin(masses, axis=1)
        every = np.arange(len(best))
        if config.pairing == "m_ttbar":
            likes = -masses[every, best]
        else:
            likes = -np.max(invariant_mass(pairs.b_jets + pairs.leptons), axis=1)
        return Solutions(solutions[every, best], likes)

    what = (
        f"exact neutrinos by {by}, the solution of the smallest m(ttbar); of the pairs "
        f"with a solution that of the smallest {LIKED[config.pairing]}"
    )
    return what, solve


def _weighting(config: NeutrinoWeightingConfig) -> Solve:
    """Return the solver that tries pseudorapidities of the neutrinos."""
    steps = round(config.eta_max / config.eta_step)
    etas = config.eta_step * np.arange(-steps, steps + 1, dtype=np.float64)
    masses = (config.top_mass_gev, config.w_mass_gev)
    resolution = Resolution(**config.resolution.model_dump())

    def solve(pairs: Pairs) -> Solutions:
        jets, leptons, met, seeds = pairs
        thrown = (config.met_sigma_gev, resolution, config.throws, seeds)
        return neutrino_weighting(jets, leptons, met, masses, etas, *thrown)

    return solve


def _smeared(config: SmearedEllipseConfig) -> Solve:
    """Return the solver that averages over throws."""
    masses = (config.top_mass_gev, config.w_mass_gev, config.w_width_gev)
    resolution = Resolution(**config.resolution.model_dump())

    def solve(pairs: Pairs) -> Solutions:
        jets, leptons, met, seeds = pairs
        return smeared_ellipses(jets, leptons, met, masses, resolution, config.throws, seeds)

    return solve


def _ttbar_masses(pairs: Pairs, solutions: FloatArray) -> FloatArray:
    """Return m(ttbar) (pairs, solutions) in GeV, inf where there is no solution."""
    visible = (pairs.b_jets + pairs.leptons)[:, np.newaxis]
    masses = ttbar_mass(top_pair(visible, np.zeros(4), solutions))
    return np.where(np.isfinite(masses), masses, np.inf)
