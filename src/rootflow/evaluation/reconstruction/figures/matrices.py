"""Figures of matrices: migration, confusion of jets, methods that complement each other."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rootflow.evaluation.figures.style import label, new_figure
from rootflow.evaluation.reconstruction.observables import Observable
from rootflow.evaluation.reconstruction.results import Evaluation, MethodResult, Migration


def migration(
    observable: Observable, method: MethodResult, found: Migration, evaluation: Evaluation
) -> Figure:
    """Draw where events of each true bin are reconstructed, and how pure and stable bins are."""
    figure, (axes, quality) = new_figure(columns=2)
    edges = found.edges
    percent = 100 * np.array(found.shares, dtype=np.float64)
    places = np.arange(len(edges))
    # On the reconstructed axis there is a row below the first edge and one above the last.
    draw_percent(figure, axes, percent.T, places, np.arange(-1, len(edges) + 1))
    names = [f"{edge:.4g}" for edge in edges]
    for axis in (axes.xaxis, axes.yaxis, quality.xaxis):
        axis.set_ticks(places, names)
    axes.set_xlabel(f"true {observable.axis}")
    axes.set_ylabel(f"{observable.axis} of {title_of(method)}")
    for name, values, line in (
        ("purity", found.purity, "-"),
        ("stability", found.stability, "--"),
        ("efficiency", found.efficiency, ":"),
    ):
        heights = np.array(values, dtype=np.float64)
        quality.stairs(heights, places, baseline=None, linestyle=line, linewidth=1.5, label=name)
    quality.set_ylim(0, 1.3)
    quality.set_xlim(places[0], places[-1])
    quality.set_xlabel(observable.axis)
    quality.set_ylabel("share of the bin")
    condition = found.condition_number
    title = None if condition is None else f"condition number {condition:.3g}"
    quality.legend(title=title, loc="upper left", ncols=3, fontsize="small", alignment="left")
    for each in (axes, quality):
        each.minorticks_off()
        label(each, evaluation.energy_tev)
    return figure


def confusion(method: MethodResult, evaluation: Evaluation) -> Figure:
    """Draw which jet is chosen for b and for bbar, by the true one."""
    figure, panels = new_figure(columns=2)
    for axes, rows, quark in zip(panels, method.confusion, ("b", r"\bar{b}"), strict=True):
        percent = 100 * np.array(rows, dtype=np.float64)
        slots = len(percent)
        draw_percent(figure, axes, percent.T, np.arange(slots + 1), np.arange(slots + 2))
        numbers = [str(slot + 1) for slot in range(slots)]
        axes.set_xticks(np.arange(slots) + 0.5, numbers)
        axes.set_yticks(np.arange(slots + 1) + 0.5, [*numbers, "none"])
        axes.minorticks_off()
        axes.set_xlabel(f"true jet of ${quark}$, by falling $p_\\mathrm{{T}}$")
        axes.set_ylabel(f"jet chosen by {method.name}")
        label(axes, evaluation.energy_tev)
    return figure


def complements(evaluation: Evaluation) -> Figure:
    """Draw the share of events that one method gets right and another one wrong."""
    names = [method.name for method in evaluation.methods]
    figure, (axes,) = new_figure()
    width, height = figure.get_size_inches() * max(1.0, len(names) / 7)
    figure.set_size_inches(width, height)
    percent = np.full((len(names), len(names)), np.nan)
    for found in evaluation.complements:
        place = names.index(found.wrong), names.index(found.right)
        percent[place] = 100 * found.share.value
    places = np.arange(len(names) + 1)
    draw_percent(figure, axes, percent, places, places, digits=1, of="matched events")
    axes.set_xticks(places[:-1] + 0.5, names, rotation=30, ha="right")
    axes.set_yticks(places[:-1] + 0.5, names)
    axes.minorticks_off()
    axes.set_xlabel("right")
    axes.set_ylabel("wrong")
    label(axes, evaluation.energy_tev)
    return figure


def draw_percent(
    figure: Figure,
    axes: Axes,
    percent: NDArray[np.float64],
    across: NDArray[np.int64],
    up: NDArray[np.int64],
    *,
    digits: int = 0,
    of: str = "the true bin",
) -> None:
    """Draw a matrix (up, across) with its numbers."""
    highest = 100 if of.startswith("the true") else max(1.0, float(np.nanmax(percent, initial=0)))
    mesh = axes.pcolormesh(across, up, percent, cmap="Blues", vmin=0, vmax=highest)
    for (row, column), share in np.ndenumerate(percent):
        if np.isfinite(share):
            axes.text(
                float(across[column]) + 0.5,
                float(up[row]) + 0.5,
                f"{share:.{digits}f}",
                ha="center",
                va="center",
                fontsize="small",
                color="white" if share > 0.6 * highest else "black",
            )
    figure.colorbar(mesh, ax=axes, label=f"share of {of} [%]")


def title_of(method: MethodResult) -> str:
    """Return the method's name, and whose neutrinos it takes where they are not its own."""
    if method.neutrinos_of in (None, method.name):
        return method.name
    return rf"{method.name} ($\nu$: {method.neutrinos_of})"
