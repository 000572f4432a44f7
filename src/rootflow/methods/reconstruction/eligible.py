"""Which jets a method may choose from: by their b-tag.

The order of all choices is that of the b-tag quantile, among equal ones that of pT. Where fewer
than two jets are tagged, it thus fills up with the hardest of the others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rootflow.config.methods import EligibleChoice, EligibleJetsBlock
from rootflow.dataset.events import Events
from rootflow.methods.reconstruction.objects import feature

Slots = NDArray[np.int64]


@dataclass(frozen=True)
class EligibleJets:
    """A choice of jets.

    two_best: the two best b-tagged jets. working_point: all jets whose btag is `btag_min` or
    more where these are two or more, else the two best. all: every jet.
    """

    choice: EligibleChoice = "two_best"
    btag_min: float = 4.0

    @property
    def description(self) -> str:
        """What the jets are, for a sentence."""
        return {
            "two_best": "the two best b-tagged jets",
            "working_point": f"two jets of those with btag >= {self.btag_min:g}, filled up by the "
            "best others",
            "all": "two of all jets",
        }[self.choice]

    def of(self, events: Events) -> NDArray[np.bool_]:
        """Return (n, max_jets) True for the eligible jets, two or more where there are two jets.

        All choices but `all` need the b-tag of jets.
        """
        if self.choice == "all":
            return events.jet_mask.copy()
        two_best = np.zeros_like(events.jet_mask)
        np.put_along_axis(two_best, best_tagged_pair(events), True, axis=1)
        two_best &= events.jet_mask
        if self.choice == "two_best":
            return two_best
        return two_best | (events.jet_mask & (feature(events, "jets", "btag") >= self.btag_min))


def eligible_of(block: EligibleJetsBlock) -> EligibleJets:
    """Return the choice of a method's settings."""
    return EligibleJets(block.eligible, block.btag_min)


def best_tagged_pair(events: Events) -> Slots:
    """Return the slots (n, 2) of the two best b-tagged jets, the better one first."""
    tag = np.where(events.jet_mask, feature(events, "jets", "btag"), -np.inf)
    pt = np.where(events.jet_mask, feature(events, "jets", "pt"), -np.inf)
    return np.lexsort((-pt, -tag), axis=1)[:, :2]
