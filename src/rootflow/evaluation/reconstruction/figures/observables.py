"""Figures of observables: reconstructed, migrated, in collisions, and covered by a posterior."""

import numpy as np
from matplotlib.figure import Figure

from rootflow.evaluation.figures.stack import Described, stack
from rootflow.evaluation.figures.style import (
    Look,
    draw_binned,
    draw_density,
    draw_percent,
    label,
    new_figure,
    numbers,
)
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.results import Evaluation, MethodResult


def collisions(name: str, method: MethodResult, evaluation: Evaluation) -> Figure:
    """Draw an observable in collisions over what is expected of each sample."""
    each = OBSERVABLES[name]
    note = f"reconstructed by {method.name}"
    about = Described(evaluation.processes, evaluation.energy_tev)
    return stack(about, method.spectra[name], quantity=each.symbol, unit=each.unit, note=note)


def observable(name: str, evaluation: Evaluation, look: Look) -> Figure:
    """Draw an observable of every method beside its truth."""
    each = OBSERVABLES[name]
    figure, (distribution, residuals, bias, resolution) = new_figure(columns=2, rows=2)
    found = [
        (method, method.observables[name])
        for method in evaluation.methods
        # The true neutrinos are the truth itself.
        if name in method.observables and (each.of == "tops" or method.name != "truth")
    ]
    truth = evaluation.truth[name]
    draw_density(distribution, truth, colour="grey", name="generated", filled=True)
    for method, result in found:
        colour, _, line = look[method.name]
        for axes, histogram in ((distribution, result.distribution), (residuals, result.residuals)):
            draw_density(axes, histogram, colour=colour, line=line, name=title_of(method))
    unit = "" if each.relative or not each.unit else f" [{each.unit}]"
    for axes, quantity in ((bias, "bias"), (resolution, "resolution")):
        results = [(method.name, getattr(result, quantity)) for method, result in found]
        draw_binned(axes, results, look)
        axes.set_xlabel(f"true {each.axis}")
        axes.set_ylabel(f"{'relative ' if each.relative else ''}{quantity}{unit}")
    bias.axhline(0, color="grey", linewidth=0.8)
    resolution.set_ylim(bottom=0)
    distribution.set(xlim=(truth.edges[0], truth.edges[-1]), xlabel=each.axis)
    residuals.set(xlim=(-each.reach, each.reach), xlabel=each.residual_axis)
    residuals.axvline(0, color="grey", linewidth=0.8)
    for axes in (distribution, residuals):
        axes.set(ylabel="events / unit, normalised", ylim=(0, None))
    handles, names = distribution.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize="small")
    for axes in (distribution, residuals, bias, resolution):
        label(axes, evaluation.energy_tev)
    return figure


def migration(name: str, method: MethodResult, evaluation: Evaluation) -> Figure:
    """Draw where events of each true bin are reconstructed, and how pure and stable bins are."""
    each, found = OBSERVABLES[name], method.observables[name].migration
    figure, (axes, quality) = new_figure(columns=2)
    places = np.arange(len(found.edges))
    # On the reconstructed axis there is a row below the first edge and one above the last.
    draw_percent(axes, np.array(found.shares, dtype=np.float64).T, lowest=-1)
    for axis in (axes.xaxis, axes.yaxis, quality.xaxis):
        axis.set_ticks(places, [f"{edge:.4g}" for edge in found.edges])
    axes.set(xlabel=f"true {each.axis}", ylabel=f"{each.axis} of {title_of(method)}")
    for part, line in (("purity", "-"), ("stability", "--"), ("efficiency", ":")):
        heights = numbers(getattr(found, part))
        quality.stairs(heights, places, baseline=None, linestyle=line, linewidth=1.5, label=part)
    quality.set(ylim=(0, 1.3), xlim=(places[0], places[-1]))
    quality.set(xlabel=each.axis, ylabel="share of the bin")
    condition = found.condition_number
    title = None if condition is None else f"condition number {condition:.3g}"
    quality.legend(title=title, loc="upper left", ncols=3, fontsize="small", alignment="left")
    for panel in (axes, quality):
        panel.minorticks_off()
        label(panel, evaluation.energy_tev)
    return figure


def coverage(method: MethodResult, evaluation: Evaluation) -> Figure:
    """Draw how often credible regions of the posterior hold the truth, less their level."""
    figure, (axes,) = new_figure()
    for place, (name, found) in enumerate(method.coverage.items()):
        levels = np.array(found.levels)
        axes.errorbar(
            levels + 0.006 * (place - len(method.coverage) / 2),
            numbers(found.shares) - levels,
            yerr=numbers(found.errors),
            fmt="osD^vPX"[place % 7],
            capsize=2,
            label=OBSERVABLES[name].symbol if name in OBSERVABLES else name.replace("_", " "),
        )
    axes.axhline(0, color="grey", linewidth=0.8)
    axes.set_xlim(0, 1)
    axes.margins(y=0.3)
    axes.set_xlabel(f"credible level of {method.name}")
    axes.set_ylabel("share with the truth inside $-$ level")
    axes.legend(ncols=3, fontsize="small", loc="upper left")
    label(axes, evaluation.energy_tev)
    return figure


def title_of(method: MethodResult) -> str:
    """Return the method's name, and whose neutrinos it takes where they are not its own."""
    if method.neutrinos_of in (None, method.name):
        return method.name
    return rf"{method.name} ($\nu$: {method.neutrinos_of})"
