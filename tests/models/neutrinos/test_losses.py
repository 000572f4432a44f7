"""Each loss of the momenta against the same in NumPy, with `vector` for the kinematics."""

import numpy as np
import pytest
import vector
from numpy.typing import NDArray

from rootflow.models.neutrinos.losses import NEUTRINO_LOSSES, Truth, to_rest

RANDOM = np.random.default_rng(12)
COUNT = 60
SCALES = np.array([50.0, 50.0, 120.0])
Array = NDArray[np.float64]


def four(momenta: Array, mass: float = 0.0) -> vector.MomentumNumpy4D:
    px, py, pz = np.moveaxis(momenta, -1, 0)
    return vector.array({"px": px, "py": py, "pz": pz, "mass": np.full(px.shape, mass)})


def columns(momenta: vector.MomentumNumpy4D) -> Array:
    return np.stack([momenta.px, momenta.py, momenta.pz, momenta.E], axis=-1)


NEUTRINOS, SAID, LEPTONS, B_JETS = RANDOM.normal(scale=70, size=(4, COUNT, 2, 3))
KNOWN = np.where(RANDOM.random((COUNT, 2)) < 0.7, 1.0, 0.0)
VISIBLE = four(LEPTONS).sum(axis=1) + four(B_JETS, 10.0).sum(axis=1)


def huber(residual: Array) -> Array:
    return np.where(np.abs(residual) < 1, residual**2 / 2, np.abs(residual) - 0.5)


def pt_eta_phi() -> Array:
    said, true = four(SAID), four(NEUTRINOS)
    parts = [(said.pt - true.pt) / 50, said.eta - true.eta, said.deltaphi(true)]
    return huber(np.stack(parts)).mean(axis=(0, 2))


def magnitude_direction() -> Array:
    said, true = four(SAID), four(NEUTRINOS)
    away = 1 - np.cos(said.to_3D().deltaangle(true.to_3D()))
    return (huber((said.p - true.p) / np.linalg.norm(SCALES)) + away).mean(axis=1)


def rest_frame() -> Array:
    frame = VISIBLE[:, None]
    said, true = (columns(four(p).boostCM_of(frame))[..., :3] for p in (SAID, NEUTRINOS))
    return huber((said - true) / 50).mean(axis=(1, 2))


def w_mass() -> Array:
    return huber(((four(LEPTONS) + four(SAID)).mass - 80.37) / 8.037).mean(axis=1)


def top_mass() -> Array:
    mass = (four(B_JETS, 10.0) + four(LEPTONS) + four(SAID)).mass
    return (KNOWN * huber((mass - 172.5) / 17.25)).mean(axis=1)


EXPECTED = {
    "huber": lambda: huber((SAID - NEUTRINOS) / SCALES).mean(axis=(1, 2)),
    "mse": lambda: (((SAID - NEUTRINOS) / SCALES) ** 2).mean(axis=(1, 2)),
    "mae": lambda: np.abs((SAID - NEUTRINOS) / SCALES).mean(axis=(1, 2)),
    "pt_eta_phi": pt_eta_phi,
    "magnitude_direction": magnitude_direction,
    "rest_frame": rest_frame,
    "w_mass": w_mass,
    "top_mass": top_mass,
}


def truth() -> Truth:
    arrays = (
        NEUTRINOS,
        columns(four(LEPTONS)),
        columns(four(B_JETS, 10.0)),
        KNOWN,
        columns(VISIBLE),
        SCALES,
    )
    return Truth(*(array.astype(np.float32) for array in arrays))


def test_every_loss_has_its_formula() -> None:
    assert set(EXPECTED) == set(NEUTRINO_LOSSES)


@pytest.mark.parametrize("name", NEUTRINO_LOSSES)
def test_a_loss_is_that_of_its_formula(name: str) -> None:
    said = np.asarray(NEUTRINO_LOSSES[name](SAID.astype(np.float32), truth()))
    assert said.shape == (COUNT,)
    np.testing.assert_allclose(said, EXPECTED[name](), rtol=3e-3, atol=1e-4)


@pytest.mark.parametrize("name", NEUTRINO_LOSSES)
def test_the_slope_is_a_number_even_where_there_is_no_momentum(name: str) -> None:
    import tensorflow as tf

    nothing = tf.Variable(np.zeros((COUNT, 2, 3), np.float32))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(NEUTRINO_LOSSES[name](nothing, truth()))
    assert np.all(np.isfinite(tape.gradient(loss, nothing)))


def test_in_its_own_rest_frame_the_visible_has_no_momentum() -> None:
    parts = np.concatenate([LEPTONS, NEUTRINOS], axis=1).astype(np.float32)
    whole = columns(four(parts.astype(np.float64)).sum(axis=1)).astype(np.float32)
    at_rest = np.asarray(to_rest(parts, whole))
    np.testing.assert_allclose(at_rest.sum(axis=1), 0, atol=0.2)
