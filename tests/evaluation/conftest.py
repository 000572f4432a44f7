"""Toy methods and an evaluation of them."""

import numpy as np
import pytest

from rootflow.config import EvaluationConfig
from rootflow.dataset import Events
from rootflow.dataset.folds import mix
from rootflow.evaluation import Evaluation, evaluate
from rootflow.reconstruction.contract import Reconstruction
from rootflow.reconstruction.methods import make_method
from toy_events import toy_events

CLASSIC = ("random", "delta_r", "m_lb", "truth")


class ToyNetwork:
    """The truth with a known share of wrong assignments and a known spread of neutrinos."""

    def __init__(self, name: str = "network", right: float = 0.8, spread: float = 20.0) -> None:
        self.name = name
        self.right = right
        self.spread = spread

    def reconstruct(self, events: Events) -> Reconstruction:
        uniform = mix(events.event_number) / 2**64
        pair = make_method("random", 1).reconstruct(events).assignment
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


@pytest.fixture(scope="session")
def evaluation() -> Evaluation:
    methods = [ToyNetwork(), *(make_method(name, 1) for name in CLASSIC)]
    config = EvaluationConfig(replicas=50, energy_tev=13)
    return evaluate(toy_events(2000), methods, config, seed=1)
