"""What the solvers do with pairs of jets: formulas of `rootflow.physics`, settings of the YAML."""

from collections.abc import Callable

import numpy as np

from rootflow.config.methods import (
    EllipseConfig,
    NeutrinoWeightingConfig,
    ResolutionConfig,
    SmearedEllipseConfig,
    SolverBlock,
    SonnenscheinConfig,
)
from rootflow.errors import UsageError
from rootflow.methods.reconstruction.eligible import eligible_of
from rootflow.methods.reconstruction.solvers import Pairs, Solutions, Solve, SolverReconstructor
from rootflow.physics.kinematics import FloatArray, invariant_mass
from rootflow.physics.neutrino_ellipses import neutrino_ellipses
from rootflow.physics.neutrino_weighting import neutrino_weighting
from rootflow.physics.smeared_ellipses import smeared_ellipses
from rootflow.physics.sonnenschein import quartic_solutions
from rootflow.physics.throws import Resolution
from rootflow.physics.ttbar import top_pair, ttbar_mass

Exact = Callable[[FloatArray, FloatArray, FloatArray, float, float], FloatArray]
LIKED = {"m_lb": "larger m(lb)", "m_ttbar": "m(ttbar)"}


def solver_of(block: SolverBlock, seed: int) -> SolverReconstructor:
    """Return the solver of these settings."""
    solve: Solve
    match block:
        case EllipseConfig():
            what, solve = _exact(block, "ellipses", neutrino_ellipses)
        case SonnenscheinConfig():
            what, solve = _exact(block, "Sonnenschein's quartic", quartic_solutions)
        case NeutrinoWeightingConfig():
            what = "the neutrinos' pseudorapidities that explain the MET best"
            solve = _weighting(block)
        case SmearedEllipseConfig():
            what = f"exact neutrinos averaged over {block.throws} throws with the weight of m(lb)"
            solve = _smeared(block)
        case _:
            raise UsageError(f"there is no method of the kind {type(block).__name__}")
    eligible = eligible_of(block)
    shares = isinstance(block, SmearedEllipseConfig)
    description = f"{eligible.description}; {what}"
    return SolverReconstructor(block.name, description, solve, eligible, seed, shares)


def _exact(
    config: EllipseConfig | SonnenscheinConfig, by: str, solutions_of: Exact
) -> tuple[str, Solve]:
    """Return the solver whose up to four solutions are exact, described in words."""

    def solve(pairs: Pairs) -> Solutions:
        solutions = solutions_of(
            pairs.b_jets, pairs.leptons, pairs.met, config.top_mass_gev, config.w_mass_gev
        )
        masses = _ttbar_masses(pairs, solutions)
        best = np.argmin(masses, axis=1)
        every = np.arange(len(best))
        if config.pairing == "m_ttbar":
            likes = -masses[every, best]
        else:
            likes = -np.max(invariant_mass(pairs.b_jets + pairs.leptons), axis=1)
        return Solutions(solutions[every, best], likes)

    what = (
        f"exact neutrinos by {by}, the solution of the smallest m(ttbar); of the pairs "
        f"with a solution that of the smallest {LIKED[config.pairing]}"
    )
    return what, solve


def _weighting(config: NeutrinoWeightingConfig) -> Solve:
    """Return the solver that tries pseudorapidities of the neutrinos."""
    steps = round(config.eta_max / config.eta_step)
    etas = config.eta_step * np.arange(-steps, steps + 1, dtype=np.float64)
    masses, resolution = (config.top_mass_gev, config.w_mass_gev), _resolution(config.resolution)

    def solve(pairs: Pairs) -> Solutions:
        jets, leptons, met, seeds = pairs
        thrown = (config.met_sigma_gev, resolution, config.throws, seeds)
        return Solutions(*neutrino_weighting(jets, leptons, met, masses, etas, *thrown))

    return solve


def _smeared(config: SmearedEllipseConfig) -> Solve:
    """Return the solver that averages over throws."""
    masses = (config.top_mass_gev, config.w_mass_gev, config.w_width_gev)
    resolution = _resolution(config.resolution)

    def solve(pairs: Pairs) -> Solutions:
        jets, leptons, met, seeds = pairs
        thrown = (resolution, config.throws, seeds)
        return Solutions(*smeared_ellipses(jets, leptons, met, masses, *thrown))

    return solve


def _resolution(config: ResolutionConfig) -> Resolution:
    return Resolution(
        noise=config.jet_noise_gev,
        stochastic=config.jet_stochastic,
        constant=config.jet_constant,
        angle=config.jet_angle,
        lepton=config.lepton,
        met=config.met_gev,
    )


def _ttbar_masses(pairs: Pairs, solutions: FloatArray) -> FloatArray:
    """Return m(ttbar) (pairs, solutions) in GeV, inf where there is no solution."""
    visible = (pairs.b_jets + pairs.leptons)[:, np.newaxis]
    masses = ttbar_mass(top_pair(visible, np.zeros(4), solutions))
    return np.where(np.isfinite(masses), masses, np.inf)
