import numpy as np
import pytest
import vector

from rootflow.dataset import Events
from rootflow.physics.kinematics import invariant_mass
from rootflow.physics.ttbar import top_pair, ttbar_mass


def test_two_top_quarks_at_rest() -> None:
    at_rest = np.array([[[0, 0, 0, 172.5], [0, 0, 0, 172.5]]])
    assert ttbar_mass(at_rest) == pytest.approx([345.0])


def test_mass_does_not_depend_on_the_frame() -> None:
    tops = vector.array(
        {"px": [200.0, -150.0], "py": [0.0, 60.0], "pz": [500.0, 10.0], "mass": [172.5, 172.5]}
    )
    boosted = tops.boostZ(beta=0.9)
    masses = [
        ttbar_mass(np.stack([frame.px, frame.py, frame.pz, frame.E], axis=-1)[np.newaxis])
        for frame in (tops, boosted)
    ]
    np.testing.assert_allclose(masses[0], masses[1], rtol=1e-12)


def test_top_quarks_from_their_decay() -> None:
    # A top quark at rest into three massless particles of 172.5 / 3 GeV, 120 degrees apart.
    energy = 172.5 / 3
    angles = np.array([0, 2, 4]) * np.pi / 3
    b, lepton, neutrino = np.stack(
        [energy * np.cos(angles), energy * np.sin(angles), 0 * angles, energy + 0 * angles], axis=1
    )
    twice = [np.stack([momentum, momentum])[np.newaxis] for momentum in (b, lepton, neutrino)]
    tops = top_pair(twice[0], twice[1], twice[2][..., :3])
    np.testing.assert_allclose(invariant_mass(tops), [[172.5, 172.5]])


def test_generated_top_quarks_have_their_mass(real_events: Events) -> None:
    assert real_events.tops is not None
    masses = invariant_mass(real_events.tops)
    assert np.median(masses) == pytest.approx(172.5, abs=0.5)
