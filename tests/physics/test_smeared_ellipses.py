import numpy as np
import pytest

from rootflow.physics.neutrino_ellipses import neutrino_ellipses
from rootflow.physics.smeared_ellipses import lepton_b_density, smeared_ellipses
from rootflow.physics.throws import Resolution
from rootflow.physics.ttbar import Solutions, top_pair, ttbar_mass
from toy_tops import TOP_MASS, W_MASS, ToyTops, toy_tops

PERFECT = Resolution(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
REAL = Resolution(3.4, 0.75, 0.04, 0.01, 0.02, 0.0)


def smeared(
    toys: ToyTops, resolution: Resolution, throws: int, w_width: float = 2.085, seed: int = 0
) -> Solutions:
    seeds = np.arange(len(toys.met), dtype=np.uint64) + np.uint64(seed)
    masses = (TOP_MASS, W_MASS, w_width)
    return smeared_ellipses(
        toys.b_quarks, toys.leptons, toys.met, masses, resolution, throws, seeds
    )


def test_without_a_resolution_it_is_the_exact_solution_of_the_smallest_mass() -> None:
    toys = toy_tops(2000)
    found = smeared(toys, PERFECT, throws=3, w_width=0.0)
    exact = neutrino_ellipses(toys.b_quarks, toys.leptons, toys.met, TOP_MASS, W_MASS)
    visible = (toys.b_quarks + toys.leptons)[:, np.newaxis]
    masses = ttbar_mass(top_pair(visible, np.zeros(4), exact))
    best = np.nanargmin(masses, axis=1)
    np.testing.assert_allclose(found.neutrinos, exact[np.arange(2000), best], atol=1e-3)


def test_weights_are_the_densities_of_both_masses() -> None:
    toys = toy_tops(50, seed=2)
    found = smeared(toys, PERFECT, throws=4, w_width=0.0)
    both = toys.b_quarks + toys.leptons
    squares = both[..., 3] ** 2 - np.sum(both[..., :3] ** 2, axis=-1)
    expected = [
        4 * lepton_b_density(first, TOP_MASS, W_MASS) * lepton_b_density(second, TOP_MASS, W_MASS)
        for first, second in squares
    ]
    np.testing.assert_allclose(found.likes, expected, rtol=1e-6)


def test_throws_find_solutions_where_what_is_measured_has_none() -> None:
    toys = toy_tops(2000, 4.8, seed=3)
    random = np.random.default_rng(1)
    moved = toys._replace(met=toys.met + random.normal(0, 25, toys.met.shape))
    exact = neutrino_ellipses(moved.b_quarks, moved.leptons, moved.met, TOP_MASS, W_MASS)
    exactly = np.mean(np.isfinite(exact[:, 0, 0, 0]))
    found = smeared(moved, REAL, throws=100)
    assert exactly < 0.8
    assert np.mean(found.likes > 0) > exactly + 0.1
    assert np.all(np.isnan(found.neutrinos[found.likes == 0]))


def test_a_seed_gives_the_same_throws_and_another_one_others() -> None:
    toys = toy_tops(100, seed=4)
    first, again, other = (smeared(toys, REAL, throws=10, seed=seed) for seed in (1, 1, 500))
    np.testing.assert_array_equal(first.neutrinos, again.neutrinos)
    assert np.mean(first.likes != other.likes) > 0.9


def test_the_mean_settles_with_more_throws() -> None:
    toys = toy_tops(30, seed=5)
    few, many, most = (smeared(toys, REAL, throws) for throws in (30, 1000, 5_000))
    errors = [np.nanmedian(np.abs(found.neutrinos - most.neutrinos)) for found in (few, many)]
    assert errors[1] < errors[0] / 2
    assert np.sum(most.likes) / 5_000 == pytest.approx(np.sum(many.likes) / 1000, rel=0.1)
