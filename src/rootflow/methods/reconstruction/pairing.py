"""Two jets, paired with the leptons by a kinematic criterion.

Each jet has a cost with each lepton; of all ordered pairs of eligible jets that of the smallest
joint cost is taken: its first jet, which goes with the positive lepton, is that of b, the other
one that of bbar.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.methods.contract import Reconstruction
from rootflow.methods.reconstruction.eligible import EligibleJets
from rootflow.methods.reconstruction.objects import feature, four_momenta
from rootflow.physics.kinematics import FloatArray, delta_r, invariant_mass

Joint = Literal["sum", "larger"]


@dataclass(frozen=True)
class DeltaRReconstructor:
    """Jets close to the leptons.

    Optimal: dR(b, l+) + dR(bbar, l-) is smallest. Greedy: the closest jet and lepton of all
    first, then the closest other jet to the other lepton. The score is by how much the next
    best pair is farther apart; of a greedy choice it may be negative.
    """

    eligible: EligibleJets
    search: Literal["optimal", "greedy"]
    name: str

    @property
    def description(self) -> str:
        """What it does, in one sentence."""
        criterion = (
            "dR(b, l+) + dR(bbar, l-) is smallest"
            if self.search == "optimal"
            else "the closest jet and lepton go together first, then the other lepton and its "
            "closest jet"
        )
        return f"{self.eligible.description}, paired with the leptons so that {criterion}"

    def answer(self, events: Events) -> Reconstruction:
        """Return the closest pair; events with fewer than two jets are not solved."""
        costs, allowed = lepton_jet_delta_r(events), self.eligible.of(events)
        if self.search == "greedy":
            return greedy(costs, allowed)
        return cheapest(costs, allowed, "sum")


@dataclass(frozen=True)
class LeptonJetMassReconstructor:
    """Jets whose larger mass with their lepton is smallest.

    The score is by how much that of the next best pair is larger, in GeV.
    """

    eligible: EligibleJets
    name: str

    @property
    def description(self) -> str:
        """What it does, in one sentence."""
        return (
            f"{self.eligible.description}, paired with the leptons so that the larger of "
            "m(b l+) and m(bbar l-) is smallest"
        )

    def answer(self, events: Events) -> Reconstruction:
        """Return the pair; events with fewer than two jets are not solved."""
        return cheapest(lepton_jet_mass(events), self.eligible.of(events), "larger")


def lepton_jet_delta_r(events: Events) -> FloatArray:
    """Return dR (n, 2, max_jets) of the positive and of the negative lepton to each jet."""
    jet_eta, jet_phi = (feature(events, "jets", name)[:, np.newaxis] for name in ("eta", "phi"))
    eta, phi = (feature(events, "leptons", name)[..., np.newaxis] for name in ("eta", "phi"))
    return delta_r(jet_eta, jet_phi, eta, phi)


def lepton_jet_mass(events: Events) -> FloatArray:
    """Return m(lb) (n, 2, max_jets) of the positive and of the negative lepton with each jet, GeV.

    Of the right pairing neither mass exceeds sqrt(m_t^2 - m_W^2), about 153 GeV, but for
    the mass of b and the resolution.
    """
    jets, leptons = four_momenta(events, "jets"), four_momenta(events, "leptons")
    return invariant_mass(jets[:, np.newaxis] + leptons[:, :, np.newaxis])


def cheapest(costs: FloatArray, eligible: NDArray[np.bool_], joint: Joint) -> Reconstruction:
    """Return the ordered pair of eligible jets of the smallest joint cost.

    Parameters
    ----------
    costs
        (n, 2, max_jets) of each jet with the positive and the negative lepton; NaN where
        there is none, which leaves the event unsolved.
    eligible
        (n, max_jets).
    joint
        The sum of both costs, or the larger one.
    """
    first, second = costs[:, 0, :, np.newaxis], costs[:, 1, np.newaxis, :]
    together = first + second if joint == "sum" else np.maximum(first, second)
    events, slots = eligible.shape
    flat = np.where(ordered_pairs(eligible), together, np.inf).reshape(events, slots * slots)
    best = np.argmin(flat, axis=1)
    smallest, next_one = np.partition(flat, 1, axis=1)[:, :2].T
    solved = np.isfinite(smallest)
    return _answer(np.stack(np.divmod(best, slots), axis=1), next_one, smallest, solved)


def greedy(costs: FloatArray, eligible: NDArray[np.bool_]) -> Reconstruction:
    """Return the cheapest lepton and jet, and the cheapest other jet of the other lepton.

    Parameters are those of `cheapest`.
    """
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


def ordered_pairs(eligible: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (n, max_jets, max_jets) True for two different eligible jets."""
    different = ~np.eye(eligible.shape[1], dtype=bool)
    return np.asarray(eligible[:, :, np.newaxis] & eligible[:, np.newaxis, :] & different)


def _answer(
    pair: NDArray[np.int64], other: FloatArray, cost: FloatArray, solved: NDArray[np.bool_]
) -> Reconstruction:
    margin = np.subtract(other, cost, out=np.full(len(cost), np.nan), where=solved)
    return Reconstruction(
        assignment=np.where(solved[:, np.newaxis], pair, -1).astype(np.int32),
        neutrinos=None,
        scores=margin.astype(np.float32),
        solved=solved,
    )
