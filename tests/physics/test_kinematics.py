import numpy as np
import pytest
import vector
from numpy.typing import NDArray

from rootflow.physics.kinematics import (
    delta_phi,
    delta_r,
    four_momentum,
    invariant_mass,
    massless,
    momentum_size,
    opening_angle,
    pseudorapidity,
    rapidity,
    transverse_momentum,
)

Columns = tuple[NDArray[np.float64], ...]


@pytest.fixture
def columns() -> Columns:
    """Return pt, eta, phi, energy of 1,000 particles."""
    random = np.random.default_rng(1)
    pt, eta = random.exponential(60, 1000), random.uniform(-4, 4, 1000)
    energy = np.hypot(pt * np.cosh(eta), random.exponential(5, 1000))
    return pt, eta, random.uniform(-np.pi, np.pi, 1000), energy


def with_vector(columns: Columns) -> vector.MomentumNumpy4D:
    return vector.array(dict(zip(("pt", "eta", "phi", "energy"), columns, strict=True)))


def test_four_momenta_are_those_of_vector(columns: Columns) -> None:
    expected = with_vector(columns)
    ours = four_momentum(*columns)
    np.testing.assert_allclose(
        ours, np.stack([expected.px, expected.py, expected.pz, expected.E], axis=-1), rtol=1e-12
    )
    np.testing.assert_allclose(transverse_momentum(ours), expected.pt, rtol=1e-12)


def test_mass_of_pairs_is_that_of_vector(columns: Columns) -> None:
    expected = with_vector(columns)
    ours = four_momentum(*columns)
    np.testing.assert_allclose(
        invariant_mass(ours[1:] + ours[:-1]), (expected[1:] + expected[:-1]).mass, rtol=1e-9
    )


def test_delta_r_is_that_of_vector(columns: Columns) -> None:
    expected = with_vector(columns)
    _, eta, phi, _ = columns
    np.testing.assert_allclose(
        delta_r(eta[1:], phi[1:], eta[:-1], phi[:-1]),
        expected[1:].deltaR(expected[:-1]),
        rtol=1e-12,
    )


def test_mass_of_back_to_back_photons() -> None:
    photons = massless([[0, 30.0, 40.0], [0, -30.0, -40.0]])
    assert invariant_mass(photons.sum(axis=0)) == pytest.approx(100.0)


def test_mass_of_a_pair_of_massless_particles() -> None:
    # m^2 = 2 pT1 pT2 (cosh(delta eta) - cos(delta phi)), Review of Particle Physics.
    pair = four_momentum([50, 80], [0.3, -1.1], [0.5, 2.5], np.cosh([0.3, -1.1]) * [50, 80])
    expected = np.sqrt(2 * 50 * 80 * (np.cosh(1.4) - np.cos(2.0)))
    assert invariant_mass(pair.sum(axis=0)) == pytest.approx(expected)


def test_mass_of_a_space_like_momentum_is_zero() -> None:
    assert invariant_mass([3.0, 4.0, 0.0, 4.9]) == 0


@pytest.mark.parametrize(
    ("phi", "other_phi", "difference"),
    [(3.0, -3.0, 6.0 - 2 * np.pi), (-3.0, 3.0, 2 * np.pi - 6.0), (1.0, 0.25, 0.75)],
)
def test_delta_phi_goes_the_short_way(phi: float, other_phi: float, difference: float) -> None:
    assert delta_phi(phi, other_phi) == pytest.approx(difference)


def test_rapidity_pseudorapidity_and_angle_are_those_of_vector() -> None:
    random = np.random.default_rng(7)
    first, second = (
        np.concatenate([random.normal(0, 50, (50, 3)), random.uniform(400, 900, (50, 1))], axis=1)
        for _ in range(2)
    )
    ours, other = (
        vector.array(dict(zip(("px", "py", "pz", "E"), each.T, strict=True)))
        for each in (first, second)
    )
    np.testing.assert_allclose(rapidity(first), ours.rapidity, rtol=1e-10)
    np.testing.assert_allclose(pseudorapidity(first), ours.eta, rtol=1e-10)
    np.testing.assert_allclose(momentum_size(first), ours.mag, rtol=1e-10)
    angle = ours.to_Vector3D().deltaangle(other.to_Vector3D())
    np.testing.assert_allclose(opening_angle(first, second), angle, rtol=1e-8)
    assert opening_angle([1.0, 0, 0], [1.0, 1e-9, 0]) == pytest.approx(1e-9)
