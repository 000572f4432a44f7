import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from rootflow.physics.neutrino_weighting import neutrino_weighting
from rootflow.physics.throws import Resolution
from rootflow.physics.ttbar import Solutions
from toy_tops import TOP_MASS, W_MASS, ToyTops, toy_tops

RESOLUTION = Resolution(3.4, 0.75, 0.04, 0.01, 0.02, 0.0)


def weighted(
    toys: ToyTops, etas: NDArray[np.float64], throws: int = 0, sigma: float = 15.0
) -> Solutions:
    seeds = np.arange(len(toys.met), dtype=np.uint64)
    return neutrino_weighting(
        toys.b_quarks,
        toys.leptons,
        toys.met,
        (TOP_MASS, W_MASS),
        etas,
        sigma,
        RESOLUTION,
        throws,
        seeds,
    )


def test_with_the_true_pseudorapidities_the_true_neutrinos_weigh_most() -> None:
    toys = toy_tops(200, 4.8, 0.1057)
    right = 0
    for event in range(200):
        one = ToyTops(*(array[event : event + 1] for array in toys))
        px, py, pz = one.neutrinos[0].T
        found = weighted(one, np.arcsinh(pz / np.hypot(px, py)))
        right += np.allclose(found.neutrinos, one.neutrinos, atol=1e-3)
        assert found.likes[0] == pytest.approx(0, abs=1e-6)
    assert right >= 198


def test_it_is_the_best_of_a_plain_search() -> None:
    """Both masses are solved for px and py of each pseudorapidity by a polynomial in pT."""
    toys, etas = toy_tops(20, 4.8, seed=2), np.linspace(-3, 3, 13)
    found = weighted(toys, etas, sigma=10.0)
    for event in range(20):
        both = [
            list(plain_momenta(toys.b_quarks[event, which], toys.leptons[event, which], etas))
            for which in range(2)
        ]
        weights = [
            -np.sum((toys.met[event] - first[:2] - second[:2]) ** 2) / (2 * 10.0**2)
            for first, second in itertools.product(*both)
        ]
        if not weights:
            assert np.isneginf(found.likes[event])
            continue
        assert found.likes[event] == pytest.approx(max(weights), rel=1e-6, abs=1e-9)


def plain_momenta(b_quark: NDArray[np.float64], lepton: NDArray[np.float64], etas: NDArray):
    def product(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
        return float(one[3] * two[3] - one[:3] @ two[:3])

    right_side = np.array(
        [
            (W_MASS**2 - product(lepton, lepton)) / 2,
            (TOP_MASS**2 - W_MASS**2 - product(b_quark, b_quark)) / 2 - product(b_quark, lepton),
        ]
    )
    transverse = np.stack([lepton[:2], b_quark[:2]])
    for eta in etas:
        along = np.array([p[3] * np.cosh(eta) - p[2] * np.sinh(eta) for p in (lepton, b_quark)])
        constant = np.linalg.solve(transverse, -right_side)
        slope = np.linalg.solve(transverse, along)
        roots = np.roots([slope @ slope - 1, 2 * slope @ constant, constant @ constant])
        for pt in roots[np.abs(roots.imag) == 0].real:
            if pt > 0:
                yield np.array([*(constant + slope * pt), pt * np.sinh(eta)])


def test_the_weight_is_that_of_the_formula() -> None:
    toys = toy_tops(300, seed=3)
    found = weighted(toys, np.linspace(-4, 4, 21), sigma=12.0)
    solved = np.isfinite(found.likes)
    assert np.mean(solved) > 0.9
    missing = toys.met - found.neutrinos[..., :2].sum(axis=1)
    expected = -np.sum(missing**2, axis=1) / (2 * 12.0**2)
    np.testing.assert_allclose(found.likes[solved], expected[solved], rtol=1e-9)
    assert np.all(np.isnan(found.neutrinos[~solved]))


def test_throws_can_only_add_weight() -> None:
    toys, etas = toy_tops(300, seed=4), np.linspace(-4, 4, 21)
    without, with_throws = weighted(toys, etas), weighted(toys, etas, throws=5)
    assert np.all(with_throws.likes >= without.likes)
    assert np.mean(with_throws.likes > without.likes) > 0.5
    again = weighted(toys, etas, throws=5)
    np.testing.assert_array_equal(again.neutrinos, with_throws.neutrinos)
