"""What the solvers do with pairs of jets: formulas of `rootflow.physics`, settings of the YAML."""

from collections.abc import Callable

import numpy as np

from rootflow.config.methods import (
    EllipseConfig,
    NeutrinoWeightingConfig,
    ResolutionConfig,
    SmearedEllipseConfig,
    SonnenscheinConfig,
)
from rootflow.methods.reconstruction.solvers import Pairs, Solutions, Solve
from rootflow.physics.kinematics import FloatArray, invariant_mass
from rootflow.physics.neutrino_ellipses import neutrino_ellipses
from rootflow.physics.neutrino_weighting import neutrino_weighting
from rootflow.physics.smeared_ellipses import smeared_ellipses
from rootflow.physics.sonnenschein import quartic_solutions
from rootflow.physics.throws import Resolution
from rootflow.physics.ttbar import top_pair, ttbar_mass

Exact = Callable[[FloatArray, FloatArray, FloatArray, float, float], FloatArray]

EXACT: dict[str, Exact] = {"ellipse": neutrino_ellipses, "sonnenschein": quartic_solutions}


def exact(config: EllipseConfig | SonnenscheinConfig) -> Solve:
    """Return the solver whose up to four solutions are exact; the smallest m(ttbar) is taken."""
    solutions_of = EXACT[config.method]

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

    return solve


def weighting(config: NeutrinoWeightingConfig) -> Solve:
    """Return the solver that tries pseudorapidities of the neutrinos."""
    steps = round(config.eta_max / config.eta_step)
    etas = config.eta_step * np.arange(-steps, steps + 1, dtype=np.float64)

    def solve(pairs: Pairs) -> Solutions:
        return Solutions(
            *neutrino_weighting(
                pairs.b_jets,
                pairs.leptons,
                pairs.met,
                (config.top_mass_gev, config.w_mass_gev),
                etas,
                config.met_sigma_gev,
                _resolution(config.resolution),
                config.throws,
                pairs.seeds,
            )
        )

    return solve


def smeared(config: SmearedEllipseConfig) -> Solve:
    """Return the solver that averages over throws."""

    def solve(pairs: Pairs) -> Solutions:
        return Solutions(
            *smeared_ellipses(
                pairs.b_jets,
                pairs.leptons,
                pairs.met,
                (config.top_mass_gev, config.w_mass_gev, config.w_width_gev),
                _resolution(config.resolution),
                config.throws,
                pairs.seeds,
            )
        )

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
