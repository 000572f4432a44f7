"""The two exact solvers of both neutrinos, on decays that are exactly what they assume."""

from collections.abc import Callable

import numpy as np
import pytest
import vector
from numpy.typing import NDArray
from scipy.optimize import fsolve

from rootflow.physics.neutrino_ellipses import neutrino_ellipses
from rootflow.physics.sonnenschein import quartic_solutions
from toy_tops import TOP_MASS, W_MASS, ToyTops, toy_tops

Solver = Callable[..., NDArray[np.float64]]
SOLVERS = [neutrino_ellipses, quartic_solutions]
MASSES = [(0.0, 0.0), (4.8, 0.0), (4.8, 0.1057)]  # of b quark and lepton


def solutions_of(solver: Solver, toys: ToyTops) -> NDArray[np.float64]:
    return solver(toys.b_quarks, toys.leptons, toys.met, TOP_MASS, W_MASS)


def farthest(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest difference of any component, inf where there is a NaN."""
    return np.nan_to_num(np.max(np.abs(one - other), axis=(-2, -1)), nan=np.inf)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(("b_mass", "lepton_mass"), MASSES)
def test_the_true_neutrinos_are_a_solution(
    solver: Solver, b_mass: float, lepton_mass: float
) -> None:
    toys = toy_tops(10_000, b_mass, lepton_mass)
    solutions = solutions_of(solver, toys)
    distance = np.min(farthest(solutions, toys.neutrinos[:, np.newaxis]), axis=1)
    assert np.mean(distance < 1e-3) > 0.999


@pytest.mark.parametrize(("b_mass", "lepton_mass"), MASSES)
def test_both_find_the_same_solutions(b_mass: float, lepton_mass: float) -> None:
    toys = toy_tops(10_000, b_mass, lepton_mass, seed=2)
    ellipses, quartic = (solutions_of(solver, toys) for solver in SOLVERS)
    numbers = [np.sum(np.isfinite(found[..., 0, 0]), axis=1) for found in (ellipses, quartic)]
    assert np.mean(numbers[0] == numbers[1]) > 0.999
    nearest = np.min(farthest(ellipses[:, :, np.newaxis], quartic[:, np.newaxis]), axis=2)
    agree = ~np.isfinite(ellipses[..., 0, 0]) | (nearest < 1e-2)
    assert np.mean(np.all(agree, axis=1)) > 0.999


@pytest.mark.parametrize("solver", SOLVERS)
def test_there_are_two_or_four_solutions(solver: Solver) -> None:
    solutions = solutions_of(solver, toy_tops(10_000, seed=3))
    numbers = np.bincount(np.sum(np.isfinite(solutions[..., 0, 0]), axis=1), minlength=5)
    assert numbers[2] > 7000
    assert numbers[4] > 1000
    assert numbers[[0, 1, 3]].sum() < 10


@pytest.mark.parametrize("solver", SOLVERS)
def test_solutions_keep_every_constraint(solver: Solver) -> None:
    toys = toy_tops(2000, 4.8, 0.1057, seed=4)
    solutions = solutions_of(solver, toys)
    event, number = np.nonzero(np.isfinite(solutions[..., 0, 0]))
    found = solutions[event, number]
    np.testing.assert_allclose(found[..., :2].sum(axis=1), toys.met[event], atol=1e-6)
    neutrino, lepton, b_quark = (
        vector.array({"px": p[..., 0], "py": p[..., 1], "pz": p[..., 2], "mass": mass})
        for p, mass in (
            (found, np.zeros(found.shape[:2])),
            (toys.leptons[event], np.full(found.shape[:2], 0.1057)),
            (toys.b_quarks[event], np.full(found.shape[:2], 4.8)),
        )
    )
    w_masses, top_masses = (lepton + neutrino).mass, (b_quark + lepton + neutrino).mass
    assert np.quantile(np.abs(w_masses - W_MASS), 0.999) < 1e-4
    assert np.quantile(np.abs(top_masses - TOP_MASS), 0.999) < 1e-4


def test_a_numerical_solver_finds_the_same_solution() -> None:
    toys = toy_tops(30, 4.8, seed=5)

    def constraints(unknown: NDArray[np.float64], event: int) -> list[float]:
        neutrinos = np.stack([unknown[:3], unknown[3:]])
        missing = neutrinos[:, :2].sum(axis=0) - toys.met[event]
        momenta = np.concatenate(
            [neutrinos, np.linalg.norm(neutrinos, axis=1, keepdims=True)], axis=1
        )
        w = momenta + toys.leptons[event]
        squares = [
            p[:, 3] ** 2 - np.sum(p[:, :3] ** 2, axis=1) for p in (w, w + toys.b_quarks[event])
        ]
        return [*missing, *(squares[0] - W_MASS**2) / 100, *(squares[1] - TOP_MASS**2) / 100]

    solutions = solutions_of(neutrino_ellipses, toys)
    agree = 0
    for event in range(30):
        start = (toys.neutrinos[event] * 1.02).ravel()
        root, _, success, _ = fsolve(constraints, start, args=(event,), full_output=True)
        if success == 1:
            distance = farthest(solutions[event], root.reshape(2, 3))
            agree += np.min(distance) < 1e-3
    assert agree >= 28


@pytest.mark.parametrize("solver", SOLVERS)
def test_too_heavy_a_lepton_and_b_quark_have_no_solution(solver: Solver) -> None:
    toys = toy_tops(100, seed=6)
    # 2 p_b p_l beyond m_t^2 - m_W^2: no top quark decays so.
    leptons = toys.leptons * 90 / toys.leptons[..., 3:]
    b_quarks = leptons * [-1, -1, -1, 1] + [5, 5, 5, 0]
    b_quarks[..., 3] = np.linalg.norm(b_quarks[..., :3], axis=-1)
    found = solver(b_quarks, leptons, toys.met, TOP_MASS, W_MASS)
    assert np.all(np.isnan(found))


@pytest.mark.parametrize("solver", SOLVERS)
def test_far_too_much_missing_momentum_has_no_solution(solver: Solver) -> None:
    toys = toy_tops(200, seed=7)
    found = solver(toys.b_quarks, toys.leptons, toys.met + 1e5, TOP_MASS, W_MASS)
    assert np.all(np.isnan(found))


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_rotation_about_the_beam_rotates_the_solutions(solver: Solver) -> None:
    toys = toy_tops(500, seed=8)
    angle = 1.1
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    turned = toys._replace(
        b_quarks=toys.b_quarks @ turn.T,
        leptons=toys.leptons @ turn.T,
        met=toys.met @ turn[:2, :2].T,
    )
    first, second = solutions_of(solver, toys) @ turn[:3, :3].T, solutions_of(solver, turned)
    nearest = np.min(farthest(first[:, :, np.newaxis], second[:, np.newaxis]), axis=2)
    agree = ~np.isfinite(first[..., 0, 0]) | (nearest < 1e-3)
    assert np.mean(agree) > 0.995


@pytest.mark.parametrize("solver", SOLVERS)
def test_no_events(solver: Solver) -> None:
    assert solutions_of(solver, toy_tops(0)).shape == (0, 4, 2, 3)


@pytest.mark.parametrize("solver", SOLVERS)
def test_what_is_not_a_momentum_has_no_solution(solver: Solver) -> None:
    nothing = np.zeros((1, 2, 4))
    assert np.all(np.isnan(solver(nothing, nothing, np.zeros((1, 2)), TOP_MASS, W_MASS)))
