"""Methods of one's own, as a configuration names them by dotted name."""

import numpy as np

from rootflow.dataset import Events
from rootflow.methods.contract import Reconstruction, Scores


class InOrder:
    """The two hardest jets, b first or last."""

    def __init__(self, name: str, first: int = 0) -> None:
        self.name, self.first = name, first

    def answer(self, events: Events) -> Reconstruction:
        solved = events.jet_mask.sum(axis=1) >= 2
        pair = [self.first, 1 - self.first]
        assignment = np.where(solved[:, None], pair, -1).astype(np.int32)
        scores = np.where(solved, 1, np.nan).astype(np.float32)
        return Reconstruction(assignment, None, scores, solved)


class Swapped(InOrder):
    """The same with b and bbar exchanged."""

    def answer(self, events: Events) -> Reconstruction:
        said = super().answer(events)
        return said._replace(assignment=said.assignment[:, ::-1])


class HardLepton:
    """A score that rises with the pT of the hardest lepton."""

    def __init__(self, name: str, scale_gev: float = 100.0) -> None:
        self.name, self.scale_gev = name, scale_gev

    def answer(self, events: Events) -> Scores:
        pt = events.leptons[:, 0, events.features["leptons"].index("pt")].astype(np.float64)
        return 1 - np.exp(-pt / self.scale_gev)


class Company(HardLepton):
    """Breaks the contract: an answer depends on the other events."""

    def answer(self, events: Events) -> Scores:
        said = super().answer(events)
        return said / max(said.max(initial=0), 1e-9)


def lepton_pt(events: Events) -> np.ndarray:
    return events.leptons[:, 0, events.features["leptons"].index("pt")]


def mean_lepton_pt(events: Events) -> np.ndarray:
    return np.full(len(events), lepton_pt(events).mean())
