"""Two jets, paired with the leptons by a kinematic criterion.

Each jet has a cost with each lepton; of all ordered pairs of eligible jets that of the smallest
joint cost is taken: its first jet, which goes with the positive lepton, is that of b, the other
one that of bbar.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.config.methods import EligibleJetsBlock
from rootflow.dataset.events import Events, pairs_of_jets
from rootflow.methods.contract import Reconstruction
from rootflow.methods.reconstruction.objects import feature, four_momenta
from rootflow.physics.kinematics import FloatArray, delta_r, invariant_mass

Joint = Literal["sum", "larger"]


def words_of(settings: EligibleJetsBlock) -> str:
    """Return what the eligible jets are, for a sentence."""
    return {
        "two_best": "the two best b-tagged jets",
        "working_point": f"two jets of those with btag >= {settings.btag_min:g}, filled up by the "
        "best others",
        "all": "two of all jets",
    }[settings.eligible]


def eligible_jets(events: Events, settings: EligibleJetsBlock) -> NDArray[np.bool_]:
    """Return (n, max_jets) True for the eligible jets, two or more where there are two jets.

    The order is that of the b-tag quantile, which all choices but `all` need, among equal ones
    that of pT: where fewer than two jets have `btag_min` or more, the hardest of the others fill
    them up.
    """
    if settings.eligible == "all":
        return events.jet_mask.copy()
    two_best = np.zeros_like(events.jet_mask)
    np.put_along_axis(two_best, best_tagged_pair(events), True, axis=1)
    two_best &= events.jet_mask
    if settings.eligible == "two_best":
        return two_best
    return two_best | (events.jet_mask & (feature(events, "jets", "btag") >= settings.btag_min))


def best_tagged_pair(events: Events) -> NDArray[np.int64]:
    """Return the slots (n, 2) of the two best b-tagged jets, the better one first."""
    tag = np.where(events.jet_mask, feature(events, "jets", "btag"), -np.inf)
    pt = np.where(events.jet_mask, feature(events, "jets", "pt"), -np.inf)
    return np.lexsort((-pt, -tag), axis=1)[:, :2]


def lepton_jet_delta_r(events: Events) -> FloatArray:
    """Return dR (n, 2, max_jets) of the positive and of the negative lepton to each jet."""
    jet_eta, jet_phi = (feature(events, "jets", name)[:, np.newaxis] for name in ("eta", "phi"))
    eta, phi = (feature(events, "leptons", name)[..., np.newaxis] for name in ("eta", "phi"))
    return delta_r(jet_eta, jet_phi, eta, phi)


def lepton_jet_mass(events: Events) -> FloatArray:
    """Return m(lb) (n, 2, max_jets) of the positive and of the negative lepton with each jet, GeV.

    Neither mass of the right pairing exceeds sqrt(m_t^2 - m_W^2), about 153 GeV, but for
    the mass of b and the resolution.
    """
    return mass_with_jets(events, four_momenta(events, "leptons"))


def mass_with_jets(events: Events, others: FloatArray) -> FloatArray:
    """Return the mass (n, 2, max_jets) of each of two others (n, 2, 4) with each jet, GeV."""
    jets = four_momenta(events, "jets")
    return invariant_mass(jets[:, np.newaxis] + others[:, :, np.newaxis])


def cheapest(costs: FloatArray, eligible: NDArray[np.bool_], joint: Joint) -> Reconstruction:
    """Return the ordered pair of eligible jets of the smallest joint cost.

    `costs` (n, 2, max_jets) are those of each jet with the positive and the negative lepton; NaN
    where there is none, which leaves the event unsolved. `eligible` is (n, max_jets). The joint
    cost is the sum of both, or the larger one.
    """
    first, second = costs[:, 0, :, np.newaxis], costs[:, 1, np.newaxis, :]
    together = first + second if joint == "sum" else np.maximum(first, second)
    events, slots = eligible.shape
    flat = np.where(pairs_of_jets(eligible), together, np.inf).reshape(events, slots * slots)
    best = np.argmin(flat, axis=1)
    smallest, next_one = np.partition(flat, 1, axis=1)[:, :2].T
    solved = np.isfinite(smallest)
    return _answer(np.stack(np.divmod(best, slots), axis=1), next_one, smallest, solved)


def greedy(costs: FloatArray, eligible: NDArray[np.bool_]) -> Reconstruction:
    """Return the cheapest lepton and jet, and the cheapest other jet of the other lepton."""
    events, slots = eligible.shape
    every = np.arange(events)
    allowed = np.where(eligible[:, np.newaxis], costs, np.inf)
    lepton, jet = np.divmod(np.argmin(allowed.reshape(events, 2 * slots), axis=1), slots)
    others = allowed[every, 1 - lepton]
    others[every, jet] = np.inf
    other = np.argmin(others, axis=1)
    pair = np.where(lepton == 0, [jet, other], [other, jet]).T
    cost, swapped = (
        allowed[every, 0, one] + allowed[every, 1, two] for one, two in (pair.T, pair.T[::-1])
    )
    return _answer(pair, swapped, cost, np.sum(eligible, axis=1) >= 2)


def _answer(
    pair: NDArray[np.int64], other: FloatArray, cost: FloatArray, solved: NDArray[np.bool_]
) -> Reconstruction:
    margin = np.subtract(other, cost, out=np.full(len(cost), np.nan), where=solved)
    return Reconstruction.where(solved, pair, None, margin)


class Criterion(NamedTuple):
    """What is smallest of a pair in words, the costs, and what chooses the pair by them."""

    words: str
    costs: Callable[[Events], FloatArray]
    choose: Callable[[FloatArray, NDArray[np.bool_]], Reconstruction]


CRITERIA = {
    "optimal": Criterion(
        "dR(b, l+) + dR(bbar, l-) is smallest",
        lepton_jet_delta_r,
        partial(cheapest, joint="sum"),
    ),
    "greedy": Criterion(
        "the closest jet and lepton go together first, then the other lepton and its closest jet",
        lepton_jet_delta_r,
        greedy,
    ),
    "mass": Criterion(
        "the larger of m(b l+) and m(bbar l-) is smallest",
        lepton_jet_mass,
        partial(cheapest, joint="larger"),
    ),
}


@dataclass(frozen=True)
class PairingReconstructor:
    """Two eligible jets, paired with the leptons by one of the criteria.

    The score is by how much the cost of the next best pair is larger, masses being in GeV; of a
    greedy choice it is that of the exchanged pair, and may be negative.
    """

    eligible: EligibleJetsBlock
    criterion: Criterion
    name: str

    @property
    def description(self) -> str:
        """What it does, in one sentence."""
        jets = words_of(self.eligible)
        return f"{jets}, paired with the leptons so that {self.criterion.words}"

    def answer(self, events: Events) -> Reconstruction:
        """Return the pair; events with fewer than two jets are not solved."""
        eligible = eligible_jets(events, self.eligible)
        return self.criterion.choose(self.criterion.costs(events), eligible)
