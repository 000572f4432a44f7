"""The methods that a network is compared with."""

from dataclasses import dataclass

import numpy as np

from rootflow.dataset.events import Events
from rootflow.errors import InputError, UsageError
from rootflow.reconstruction.contract import Reconstruction, Reconstructor
from rootflow.reconstruction.drawing import event_hash
from rootflow.reconstruction.pairing import (
    PairingReconstructor,
    larger_lepton_jet_mass,
    sum_of_delta_r,
)

BASELINES = {
    "random": "two different jets of the event, drawn at random",
    "delta_r": (
        "the two best b-tagged jets, paired with the leptons so that "
        "dR(b, l+) + dR(bbar, l-) is smallest"
    ),
    "m_lb": (
        "the two best b-tagged jets, paired with the leptons so that the larger of "
        "m(b l+) and m(bbar l-) is smallest"
    ),
    "truth": "the jets matched to the true b quarks, and the true neutrinos",
}


def make(name: str, seed: int) -> Reconstructor:
    """Return the baseline of that name; `seed` is that of `random`.

    Raises
    ------
    UsageError
        There is no baseline of that name.
    """
    match name:
        case "random":
            return RandomReconstructor(seed)
        case "delta_r":
            return PairingReconstructor(name, sum_of_delta_r)
        case "m_lb":
            return PairingReconstructor(name, larger_lepton_jet_mass)
        case "truth":
            return TruthReconstructor()
    raise UsageError(f"there is no method {name}; there are {', '.join(BASELINES)}")


@dataclass(frozen=True)
class TruthReconstructor:
    """The true assignment and neutrinos, of events with both b jets matched.

    What its m(ttbar) lacks in resolution is due to the jets and leptons alone.
    """

    name: str = "truth"

    def reconstruct(self, events: Events) -> Reconstruction:
        """Return what was generated.

        Raises
        ------
        InputError
            The events are data.
        """
        if events.assignment is None or events.neutrinos is None:
            raise InputError("the method truth needs simulated events, these have no truth")
        solved = events.matched
        return Reconstruction(
            assignment=np.where(solved[:, np.newaxis], events.assignment, -1).astype(np.int32),
            neutrinos=np.where(solved[:, np.newaxis, np.newaxis], events.neutrinos, np.nan).astype(
                np.float32
            ),
            scores=np.where(solved, 1.0, np.nan).astype(np.float32),
            solved=solved,
        )


@dataclass(frozen=True)
class RandomReconstructor:
    """Two different jets, every ordered pair of an event equally likely.

    The draw is a hash of seed and event identity, so that it depends neither on the
    order of the events nor on their company. The score is the probability of the pair.
    """

    seed: int
    name: str = "random"

    def reconstruct(self, events: Events) -> Reconstruction:
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
        return Reconstruction(
            assignment=np.where(solved[:, np.newaxis], slots, -1).astype(np.int32),
            neutrinos=None,
            scores=np.where(solved, 1 / pairs, np.nan).astype(np.float32),
            solved=solved,
        )
