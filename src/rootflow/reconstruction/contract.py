"""What every reconstruction method promises."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rootflow.config import FoldsConfig
from rootflow.dataset.events import Events

Floats = NDArray[np.float32]


class Reconstruction(NamedTuple):
    """What a method says of n events.

    Attributes
    ----------
    assignment
        (n, 2) int32, slots of the jets given to b and bbar: two different jets that
        exist, or -1, -1 where the method has no answer.
    neutrinos
        (n, 2, 3) float32, px, py, pz of neutrino and antineutrino in GeV; NaN where the
        method has no answer, None where it never has one.
    scores
        (n,) float32, the method's own confidence in its assignment, larger is better;
        NaN where it has no answer.
    solved
        (n,) bool, True where it has an answer.
    """

    assignment: NDArray[np.int32]
    neutrinos: NDArray[np.float32] | None
    scores: NDArray[np.float32]
    solved: NDArray[np.bool_]

    def take(self, index: NDArray[np.int64] | NDArray[np.bool_]) -> "Reconstruction":
        """Return what was said of the events at `index`."""
        return Reconstruction(
            assignment=self.assignment[index],
            neutrinos=None if self.neutrinos is None else self.neutrinos[index],
            scores=self.scores[index],
            solved=self.solved[index],
        )


class NetworkOutputs(NamedTuple):
    """What a network says of n events with J jet slots, before anything is decided.

    Attributes
    ----------
    assignment
        (n, J, J) float32, the joint probability that slot i is the jet of b and slot j
        that of bbar.
    neutrinos
        (n, 2, 3) float32, px, py, pz of neutrino and antineutrino in GeV.
    confidence
        (n,) float32, the network's own score; None where it has none.
    """

    assignment: NDArray[np.float32]
    neutrinos: NDArray[np.float32]
    confidence: NDArray[np.float32] | None

    def take(self, index: NDArray[np.int64]) -> "NetworkOutputs":
        """Return what was said of the events at `index`."""
        return NetworkOutputs(
            assignment=self.assignment[index],
            neutrinos=self.neutrinos[index],
            confidence=None if self.confidence is None else self.confidence[index],
        )


class Posterior(NamedTuple):
    """Samples of the neutrinos' momenta in n events.

    Attributes
    ----------
    neutrinos
        (n, samples, 2, 3), px, py, pz of neutrino and antineutrino in GeV.
    log_density
        (n, samples), the logarithm of the density at each, per GeV to the sixth.
    """

    neutrinos: Floats
    log_density: Floats

    def mean(self) -> Floats:
        """Return the mean momenta (n, 2, 3) in GeV."""
        mean: Floats = np.mean(self.neutrinos, axis=1)
        return mean

    def mode(self) -> Floats:
        """Return the samples of highest density, (n, 2, 3) in GeV."""
        best = np.argmax(self.log_density, axis=1)
        mode: Floats = self.neutrinos[np.arange(len(best)), best]
        return mode


class Reconstructor(Protocol):
    """A method that assigns jets, and may give the neutrinos' momenta."""

    @property
    def name(self) -> str:
        """The name under which its metrics are logged."""

    def reconstruct(self, events: Events) -> Reconstruction:
        """Reconstruct every event by itself: neither order nor company may matter."""


class NetworkReconstructor(Reconstructor, Protocol):
    """A method that is a network, or several."""

    @property
    def parameters(self) -> int | None:
        """How many numbers were fitted, None where that is not known."""

    def outputs(self, events: Events) -> NetworkOutputs:
        """Return what the network says of every event by itself."""


class TrainedReconstructor(NetworkReconstructor, Protocol):
    """A network that was trained on all folds but one."""

    @property
    def folds(self) -> FoldsConfig:
        """The folds of the training; `held_out` is the one that it has not seen."""


def description_of(method: Reconstructor) -> str | None:
    """Return what a classic method does, in one sentence: its `description`; else None."""
    description: str | None = getattr(method, "description", None)
    return description
