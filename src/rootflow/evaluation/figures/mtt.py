"""Figures of m(ttbar)."""

import numpy as np
from matplotlib.figure import Figure

from rootflow.evaluation.figures.style import (
    Look,
    draw_binned,
    draw_density,
    label,
    new_figure,
    title_of,
)
from rootflow.evaluation.results import Evaluation, MethodResult, Migration, MttResult

MASS = r"$m(t\bar{t})$"


def with_mtt(evaluation: Evaluation) -> list[tuple[MethodResult, MttResult]]:
    """Return the methods for which m(ttbar) exists, and what was found of it."""
    return [(method, method.mtt) for method in evaluation.methods if method.mtt is not None]


def mtt_residuals(evaluation: Evaluation, look: Look) -> Figure:
    """Draw the relative residuals of m(ttbar)."""
    figure, (axes,) = new_figure()
    for method, mtt in with_mtt(evaluation):
        draw_density(
            axes,
            mtt.residuals,
            colour=look.colour(method.name),
            line=look.line(method.name),
            name=title_of(method),
        )
        axes.set_xlim(mtt.residuals.edges[0], mtt.residuals.edges[-1])
    axes.set_ylim(bottom=0)
    axes.set_xlabel(rf"({MASS} reconstructed $-$ true) / true")
    axes.set_ylabel("events / unit, normalised")
    axes.legend(loc="upper right", fontsize="small")
    label(axes, evaluation.energy_tev)
    return figure


def mtt_by_mtt(evaluation: Evaluation, look: Look) -> Figure:
    """Draw bias and resolution of m(ttbar) in bins of its true value."""
    figure, (bias, resolution) = new_figure(rows=2)
    found = with_mtt(evaluation)
    draw_binned(bias, [(method, mtt.bias) for method, mtt in found], look)
    draw_binned(resolution, [(method, mtt.resolution) for method, mtt in found], look)
    bias.axhline(0, color="grey", linewidth=0.8)
    bias.set_ylabel(f"relative bias of {MASS}")
    resolution.set_ylabel(f"relative resolution of {MASS}")
    resolution.set_ylim(bottom=0)
    resolution.set_xlabel(f"true {MASS} [GeV]")
    handles, _ = bias.get_legend_handles_labels()
    names = [title_of(method) for method, _ in found]
    figure.legend(handles, names, loc="outside lower center", ncols=2, fontsize="small")
    label(bias, evaluation.energy_tev)
    return figure


def mtt_migration(method: MethodResult, migration: Migration, evaluation: Evaluation) -> Figure:
    """Draw where events of each bin of true m(ttbar) are reconstructed."""
    figure, (axes,) = new_figure()
    edges = migration.edges
    percent = 100 * np.array(migration.shares, dtype=np.float64)
    places = np.arange(len(edges))
    # On the reconstructed axis there is a row below the first edge and one above the last.
    mesh = axes.pcolormesh(
        places, np.arange(-1, len(edges) + 1), percent.T, cmap="Blues", vmin=0, vmax=100
    )
    for (row, column), share in np.ndenumerate(percent):
        if np.isfinite(share):
            axes.text(
                row + 0.5,
                column - 0.5,
                f"{share:.0f}",
                ha="center",
                va="center",
                fontsize="small",
                color="white" if share > 60 else "black",
            )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(places, [f"{edge:g}" for edge in edges])
    axes.minorticks_off()
    axes.set_xlabel(f"true {MASS} [GeV]")
    axes.set_ylabel(f"{MASS} of {title_of(method)} [GeV]")
    figure.colorbar(mesh, ax=axes, label="share of the true bin [%]")
    label(axes, evaluation.energy_tev)
    return figure
