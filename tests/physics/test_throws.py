import numpy as np
import pytest
from scipy import stats

from rootflow.dataset.folds import mix
from rootflow.physics.throws import Resolution, breit_wigner, normal, throw, uniform

PERFECT = Resolution(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
THROWS = 20_000


def state(seed: int = 1) -> np.ndarray:
    return np.array([seed], np.uint64)


def test_numbers_are_those_of_splitmix() -> None:
    start = state(5)
    # `mix` is SplitMix64's first output of a seed.
    expected = (mix(np.array([5], np.uint64))[0] >> np.uint64(11)) + 0.5
    assert uniform(start) == pytest.approx(float(expected) / 2**53)


def test_numbers_are_uniform_and_normal() -> None:
    start = state()
    assert stats.kstest([uniform(start) for _ in range(THROWS)], "uniform").pvalue > 1e-3
    assert stats.kstest([normal(start) for _ in range(THROWS)], "norm").pvalue > 1e-3


def test_w_masses_are_those_of_a_breit_wigner() -> None:
    start, mass, width = state(), 80.379, 2.085
    masses = np.array([breit_wigner(start, mass, width) for _ in range(THROWS)])
    # m^2 is of a Cauchy distribution, cut at 15 widths.
    in_square = stats.cauchy(mass**2, mass * width)
    low, high = in_square.cdf([(mass - 15 * width) ** 2, (mass + 15 * width) ** 2])
    flat = (in_square.cdf(masses**2) - low) / (high - low)
    assert stats.kstest(flat, "uniform").pvalue > 1e-3
    assert breit_wigner(start, mass, 0.0) == mass


def thrown(resolution: Resolution) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return many throws of the event below."""
    start = state()
    found = [(np.empty((2, 4)), np.empty((2, 4)), np.empty(2)) for _ in range(THROWS)]
    for one in found:
        throw(start, EVENT, resolution, one)
    jets, leptons, met = (np.array(arrays) for arrays in zip(*found, strict=True))
    return jets, leptons, met


JETS = np.array([[60.0, 0, 30, 70], [-20, 40, -100, 112]])
LEPTONS = np.array([[0.0, 50, 0, 50], [30, 0, 40, 50]])
EVENT = (JETS, LEPTONS, np.array([25.0, -10]))


def test_perfect_throws_are_what_is_measured() -> None:
    start, found = state(), (np.empty((2, 4)), np.empty((2, 4)), np.empty(2))
    throw(start, EVENT, PERFECT, found)
    for array, measured in zip(found, EVENT, strict=True):
        np.testing.assert_allclose(array, measured, rtol=1e-12)


def test_jets_have_the_resolution_of_the_formula() -> None:
    jets, _, _ = thrown(PERFECT._replace(jet_noise_gev=3.4, jet_stochastic=0.75, jet_constant=0.04))
    for jet, measured in zip(np.moveaxis(jets, 1, 0), JETS, strict=True):
        pt, expected = np.hypot(jet[:, 0], jet[:, 1]), np.hypot(*measured[:2])
        sigma = np.sqrt((3.4 / expected) ** 2 + 0.75**2 / expected + 0.04**2)
        assert np.mean(pt / expected) == pytest.approx(1, abs=4 * sigma / np.sqrt(THROWS))
        assert np.std(pt / expected) == pytest.approx(sigma, rel=0.03)
        mass2 = jet[:, 3] ** 2 - np.sum(jet[:, :3] ** 2, axis=1)
        measured_mass2 = measured[3] ** 2 - np.sum(measured[:3] ** 2)
        np.testing.assert_allclose(mass2 / (pt / expected) ** 2, measured_mass2, rtol=1e-6)


def test_jets_have_the_angular_resolution() -> None:
    jets, _, met = thrown(PERFECT._replace(jet_angle=0.02))
    phi = np.arctan2(jets[:, 0, 1], jets[:, 0, 0])
    eta = np.arcsinh(jets[:, 0, 2] / np.hypot(jets[:, 0, 0], jets[:, 0, 1]))
    assert np.std(phi) == pytest.approx(0.02, rel=0.03)
    assert np.std(eta) == pytest.approx(0.02, rel=0.03)
    assert np.std(met) > 0


def test_the_met_balances_jets_and_leptons() -> None:
    resolution = Resolution(3.4, 0.75, 0.04, 0.02, 0.02, 0.0)
    jets, leptons, met = thrown(resolution)
    together = (jets + leptons)[..., :2].sum(axis=1) + met
    expected = (JETS + LEPTONS)[:, :2].sum(axis=0) + EVENT[2]
    np.testing.assert_allclose(together, np.broadcast_to(expected, together.shape), atol=1e-9)
    _, _, alone = thrown(PERFECT._replace(met_gev=7.0))
    np.testing.assert_allclose(np.std(alone, axis=0), [7, 7], rtol=0.03)


def test_leptons_have_their_resolution() -> None:
    _, leptons, _ = thrown(PERFECT._replace(lepton=0.02))
    scale = leptons[..., 3] / LEPTONS[:, 3]
    np.testing.assert_allclose(np.std(scale, axis=0), [0.02, 0.02], rtol=0.03)
    np.testing.assert_allclose(leptons, scale[..., np.newaxis] * LEPTONS, rtol=1e-12)
