"""Figures of what only networks have: coverage of a posterior, importance of inputs."""

import numpy as np
from matplotlib.figure import Figure

from rootflow.evaluation.figures.style import label, new_figure, numbers
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.results import Evaluation, MethodResult


def coverage(method: MethodResult, evaluation: Evaluation) -> Figure:
    """Draw how often credible regions of the posterior hold the truth, less their level."""
    figure, (axes,) = new_figure()
    for place, (name, found) in enumerate(method.coverage.items()):
        levels = np.array(found.levels)
        axes.errorbar(
            levels + 0.006 * (place - len(method.coverage) / 2),
            numbers(found.shares) - levels,
            yerr=numbers(found.errors),
            marker="osD^vPX"[place % 7],
            linestyle="none",
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


def importance(method: MethodResult, evaluation: Evaluation) -> Figure:
    """Draw what the accuracy loses where an input is permuted."""
    figure, (axes,) = new_figure()
    found = method.importance[::-1]
    places = np.arange(len(found))
    axes.barh(
        places,
        [each.drop.value for each in found],
        xerr=[each.drop.error for each in found],
        color=["#3f90da" if each.feature else "#a96b59" for each in found],
    )
    names = [f"{each.collection} {each.feature or '(all)'}" for each in found]
    axes.set_yticks(places, names)
    axes.minorticks_off()
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_xlabel(f"loss in accuracy of {method.name}, input permuted")
    label(axes, evaluation.energy_tev)
    return figure
