"""Methods that are right as often, and as near the truth, as a test wants."""

import numpy as np

from rootflow.dataset import Events
from rootflow.dataset.folds import mix
from rootflow.methods.contract import Posterior, Reconstruction
from rootflow.methods.make import make_method


class ToyNetwork:
    """The truth with a known share of wrong assignments and a known spread of neutrinos."""

    def __init__(self, name: str = "network", right: float = 0.8, spread: float = 20.0) -> None:
        self.name = name
        self.right = right
        self.spread = spread

    def answer(self, events: Events) -> Reconstruction:
        uniform = mix(events.event_number) / 2**64
        pair = make_method("random", 1).answer(events).assignment
        use_truth = (uniform < self.right) & events.matched
        offset = np.stack(
            [mix(events.event_number + np.uint64(axis)) / 2**64 - 0.5 for axis in range(6)], axis=1
        )
        neutrinos = events.neutrinos + self.spread * np.sqrt(12) * offset.reshape(-1, 2, 3)
        return Reconstruction(
            assignment=np.where(use_truth[:, np.newaxis], events.assignment, pair),
            neutrinos=neutrinos.astype(np.float32),
            scores=(1 - uniform / 2).astype(np.float32),
            solved=np.ones(len(events), bool),
        )


class Drawing(ToyNetwork):
    """A toy network that counts its parameters and draws from the posterior that it has."""

    parameters = 1234
    has_posterior = True

    def __init__(self, width: float = 1.0) -> None:
        super().__init__("network")
        self.width = width

    def posterior(self, events: Events, samples: int, seed: int) -> Posterior:
        """Return the uniform distribution around the answer, `width` times as wide as it is."""
        random = np.random.default_rng(seed)
        reach = self.width * self.spread * np.sqrt(12) / 2
        offset = random.uniform(-reach, reach, (len(events), samples, 2, 3))
        center = self.answer(events).neutrinos.astype(float)
        momenta = center[:, np.newaxis] + offset
        return Posterior(momenta, self._log_density(offset, reach))

    def log_density(self, events: Events, neutrinos: np.ndarray) -> np.ndarray:
        """Return that of a box, higher in its middle, so that regions are well defined."""
        offset = neutrinos - self.answer(events).neutrinos.astype(float)
        return self._log_density(offset, self.width * self.spread * np.sqrt(12) / 2)

    @staticmethod
    def _log_density(offset: np.ndarray, reach: float) -> np.ndarray:
        return -np.max(np.abs(offset) / reach, axis=(-2, -1))
