"""Generated dileptonic events whose truth is known exactly."""

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset import Events
from rootflow.physics.kinematics import four_momentum
from rootflow.physics.ttbar import top_pair

FEATURES = {
    "jets": ("pt", "eta", "phi", "energy", "btag"),
    "leptons": ("pt", "eta", "phi", "energy", "pdg_id"),
    "met": ("pt", "phi"),
    "event": (),
}
UNITS = {
    "jets": {"pt": "GeV", "eta": "none", "phi": "rad", "energy": "GeV", "btag": "none"},
    "leptons": {"pt": "GeV", "eta": "none", "phi": "rad", "energy": "GeV", "pdg_id": "none"},
    "met": {"pt": "GeV", "phi": "rad"},
}


def toy_events(count: int, seed: int = 1, max_jets: int = 6) -> Events:
    """Return events whose jets, leptons and neutrinos add up to the true top quarks.

    In a fifth of them the jet of b is not matched.
    """
    random = np.random.default_rng(seed)
    jets = _objects(random, (count, max_jets), mass=10.0)
    jets = np.take_along_axis(jets, np.argsort(-jets[..., :1], axis=1), axis=1)
    number = random.integers(2, max_jets + 1, count)
    number[0] = max_jets
    mask = np.arange(max_jets) < number[:, np.newaxis]
    two = np.argsort(np.where(mask, random.random((count, max_jets)), 2.0), axis=1)[:, :2]
    leptons = _objects(random, (count, 2), mass=0.0)
    neutrinos = random.normal(0, 60, (count, 2, 3))
    b_jets = four_momentum(*np.moveaxis(jets[np.arange(count)[:, np.newaxis], two], -1, 0))
    tops = top_pair(b_jets, four_momentum(*np.moveaxis(leptons, -1, 0)), neutrinos)
    tags = np.where(mask, random.integers(1, 7, (count, max_jets)), 0)
    flavours = np.where(random.random((count, 2)) < 0.5, 11, 13) * [-1, 1]
    assignment = two.astype(np.int32)
    assignment[random.random(count) < 0.2, 0] = -1
    return Events(
        features=FEATURES,
        jets=(np.concatenate([jets, tags[..., None]], -1) * mask[..., None]).astype(np.float32),
        jet_mask=mask,
        leptons=np.concatenate([leptons, flavours[..., None]], -1).astype(np.float32),
        met=np.stack([random.exponential(60, count), random.uniform(-3, 3, count)], 1).astype(
            np.float32
        ),
        event=np.zeros((count, 0), np.float32),
        weight=np.ones(count),
        event_number=np.arange(count, dtype=np.uint64),
        file_index=np.zeros(count, np.int32),
        fold=np.zeros(count, np.uint8),
        assignment=assignment,
        neutrinos=neutrinos.astype(np.float32),
        tops=tops.astype(np.float32),
    )


def _objects(
    random: np.random.Generator, shape: tuple[int, int], mass: float
) -> NDArray[np.float64]:
    """Return pt, eta, phi, energy along the last axis."""
    pt = 25 + random.exponential(50, shape)
    eta, phi = random.uniform(-2.5, 2.5, shape), random.uniform(-np.pi, np.pi, shape)
    return np.stack([pt, eta, phi, np.hypot(pt * np.cosh(eta), mass)], axis=-1)
