"""The least and the most that a method can know: nothing, and the truth."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.errors import InputError
from rootflow.methods.contract import Reconstruction
from rootflow.methods.reconstruction.objects import event_hash
from rootflow.methods.reconstruction.others import Assignment


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
