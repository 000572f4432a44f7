"""Figures of the neutrinos."""

import numpy as np
from matplotlib.figure import Figure

from rootflow.evaluation.figures.style import Look, draw_density, label, new_figure
from rootflow.evaluation.results import Evaluation, MethodResult

COMPONENTS = {"px": "$p_x$", "py": "$p_y$", "pz": "$p_z$"}
PARTICLES = {"neutrino": (r"$\nu$", "-", "o"), "antineutrino": (r"$\bar{\nu}$", "--", "s")}


def with_neutrinos(evaluation: Evaluation) -> list[MethodResult]:
    """Return the methods that reconstruct neutrinos; the truth does not."""
    return [
        method
        for method in evaluation.methods
        if method.neutrino_residuals and method.name != "truth"
    ]


def neutrino_residuals(evaluation: Evaluation, look: Look) -> Figure:
    """Draw the residuals of px, py and pz."""
    figure, panels = new_figure(columns=3)
    for axes, (component, symbol) in zip(panels, COMPONENTS.items(), strict=True):
        for method in with_neutrinos(evaluation):
            for particle, (particle_symbol, line, _) in PARTICLES.items():
                histogram = method.neutrino_residuals[f"{particle}_{component}"]
                draw_density(
                    axes,
                    histogram,
                    colour=look.colour(method.name),
                    line=line,
                    name=f"{method.name} {particle_symbol}",
                )
        axes.axvline(0, color="grey", linewidth=0.8)
        axes.set_xlim(histogram.edges[0], histogram.edges[-1])
        axes.set_ylim(bottom=0)
        axes.margins(y=0.25)
        axes.set_xlabel(f"{symbol} reconstructed $-$ true [GeV]")
        axes.set_ylabel("events / GeV, normalised")
        axes.legend(loc="upper left", fontsize="small")
        label(axes, evaluation.energy_tev)
    return figure


def neutrino_resolution(evaluation: Evaluation, look: Look) -> Figure:
    """Draw bias and resolution of each component."""
    figure, panels = new_figure(columns=2)
    methods = with_neutrinos(evaluation)
    points = len(methods) * len(PARTICLES)
    for axes, quantity in zip(panels, ("bias", "resolution"), strict=True):
        for number, (method, particle) in enumerate(
            (method, particle) for method in methods for particle in PARTICLES
        ):
            symbol, _, marker = PARTICLES[particle]
            estimates = [
                method.metrics[f"{particle}_{component}_{quantity}"] for component in COMPONENTS
            ]
            axes.errorbar(
                np.arange(3) + 0.6 * ((number + 1) / (points + 1) - 0.5),
                [estimate.value for estimate in estimates],
                yerr=[estimate.error for estimate in estimates],
                color=look.colour(method.name),
                marker=marker,
                markerfacecolor=look.colour(method.name) if particle == "neutrino" else "white",
                linestyle="none",
                capsize=2,
                label=f"{method.name} {symbol}",
            )
        axes.set_xticks(np.arange(3), list(COMPONENTS.values()))
        axes.tick_params(axis="x", which="minor", bottom=False, top=False)
        axes.set_xlim(-0.5, 2.5)
        axes.set_ylabel(f"{quantity} [GeV]")
        axes.margins(y=0.2)
        axes.legend(loc="upper left", fontsize="small")
        label(axes, evaluation.energy_tev)
    panels[0].axhline(0, color="grey", linewidth=0.8)
    panels[1].set_ylim(bottom=0)
    return figure
