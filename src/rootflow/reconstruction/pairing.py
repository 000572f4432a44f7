"""The two best b-tagged jets, paired with the leptons by a kinematic criterion.

Each of the two pairings of the jets with the leptons has a cost; the cheaper one is taken:
the jet that goes with the positive lepton is that of b, the other one that of bbar.

Which two jets: those of the highest b-tag quantile, among equal ones those of the highest
pT. Where fewer than two jets are tagged, the same order thus fills up with the hardest of
the others; nothing depends on a working point.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.physics.kinematics import FloatArray, delta_r, invariant_mass
from rootflow.reconstruction.contract import Reconstruction
from rootflow.reconstruction.objects import at, feature, four_momenta

Slots = NDArray[np.int64]
Cost = Callable[[Events, Slots], FloatArray]


@dataclass(frozen=True)
class PairingReconstructor:
    """The two best b-tagged jets in the cheaper of their two pairings.

    The score is by how much the other pairing is dearer. Neutrinos are not reconstructed.
    """

    name: str
    cost: Cost

    def reconstruct(self, events: Events) -> Reconstruction:
        """Return the cheaper pairing; events with fewer than two jets are not solved."""
        pair = best_tagged_pair(events)
        swapped = pair[:, ::-1]
        straight_cost, swapped_cost = self.cost(events, pair), self.cost(events, swapped)
        chosen = np.where((straight_cost <= swapped_cost)[:, np.newaxis], pair, swapped)
        solved = np.sum(events.jet_mask, axis=1) >= 2
        return Reconstruction(
            assignment=np.where(solved[:, np.newaxis], chosen, -1).astype(np.int32),
            neutrinos=None,
            scores=np.where(solved, np.abs(straight_cost - swapped_cost), np.nan).astype(
                np.float32
            ),
            solved=solved,
        )


def best_tagged_pair(events: Events) -> Slots:
    """Return the slots (n, 2) of the two best b-tagged jets, the better one first."""
    tag = np.where(events.jet_mask, feature(events, "jets", "btag"), -np.inf)
    pt = np.where(events.jet_mask, feature(events, "jets", "pt"), -np.inf)
    return np.lexsort((-pt, -tag), axis=1)[:, :2]


def sum_of_delta_r(events: Events, pair: Slots) -> FloatArray:
    """Return dR(b, l+) + dR(bbar, l-) of every event for the jets `pair` (n, 2).

    Both pairings are compared as wholes: taking the closest jet and lepton first and
    the others as they are left is right less often.
    """
    jet_eta, jet_phi = (at(feature(events, "jets", name), pair) for name in ("eta", "phi"))
    eta, phi = (feature(events, "leptons", name) for name in ("eta", "phi"))
    return np.asarray(np.sum(delta_r(jet_eta, jet_phi, eta, phi), axis=1))


def larger_lepton_jet_mass(events: Events, pair: Slots) -> FloatArray:
    """Return max(m(b l+), m(bbar l-)) of every event for the jets `pair` (n, 2), GeV.

    Of the right pairing neither mass exceeds sqrt(m_t^2 - m_W^2), about 153 GeV, but for
    the mass of b and the resolution.
    """
    momenta = at(four_momenta(events, "jets"), pair) + four_momenta(events, "leptons")
    return np.asarray(np.max(invariant_mass(momenta), axis=1))
