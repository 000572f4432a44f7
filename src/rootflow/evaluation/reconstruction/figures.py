"""All figures of an evaluation, and what each shows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from rootflow.evaluation.figures.stack import Described, stack
from rootflow.evaluation.figures.style import (
    Look,
    draw_binned,
    draw_density,
    draw_figures,
    draw_percent,
    label,
    new_figure,
    numbers,
)
from rootflow.evaluation.folder import Captions
from rootflow.evaluation.reconstruction.display import display
from rootflow.evaluation.reconstruction.metrics import COUNTS
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.results import (
    UNDER_EVALUATION,
    Evaluation,
    MethodResult,
    ScoreResult,
)

_MATCHED = "Events with both b jets matched; bars are bootstrap errors."
CAPTIONS = {
    "history": ("Training", "Loss and accuracy of each epoch."),
    "accuracy": (
        "Accuracy of the assignment",
        f"How often each method gives the right jets to b and bbar. {_MATCHED}",
    ),
    "accuracy_by": (
        "Accuracy by",
        f"Share of events with both b jets right, and relative to the reference. {_MATCHED} "
        "Horizontal lines are bins, points in them are set apart to be seen. Errors of the "
        "quotient are those of the same replicas.",
    ),
    "complements": (
        "Methods that complement each other",
        "Share of matched events that the method of the column gets right and that of the row "
        "wrong: what a combination of both could gain.",
    ),
    "confusion": (
        "Confusion of jets",
        "Which jet is chosen for b and for bbar, in percent of the matched events with the true "
        "jet in that place; jets fall in pT.",
    ),
    "scores": (
        "Score of the model",
        "Left: distribution of the model's probability for its own assignment, bands are "
        "statistical errors. Right: how often assignments of that score are right; a calibrated "
        "probability lies on the diagonal.",
    ),
    "coverage": (
        "Coverage of the posterior",
        "How often central intervals of the posterior hold the truth, less their level: at zero "
        "they are as wide as they say. m(tt̄) is of matched events.",
    ),
    "importance": (
        "Importance of inputs",
        "What the accuracy loses where a feature, or a whole collection, is permuted among "
        "events. An input that others tell as well has none by itself.",
    ),
    "observable": (
        "Observable",
        "Distribution of all solved events beside that generated; residuals, and bias and "
        "resolution in bins of the truth: of solved events, for what is made with top quarks of "
        "solved events with both b jets matched. What does not depend on which lepton goes with "
        "which of the two jets is the same for methods that choose the same two with the same "
        "neutrinos.",
    ),
    "collisions": (
        "Collisions",
        "Solved events in data, with central 68.27 % Poisson intervals, over what is expected of "
        "each sample; all of the folds that are held out. Hatched: simulated statistics. No "
        "accuracy is of collisions.",
    ),
    "migration": (
        "Migration",
        "Left: where solved events of each bin of the truth are reconstructed, in percent of that "
        "bin; the lowest and the highest row are all below and above the bins. Right: purity, "
        "stability and efficiency of the bins.",
    ),
    "display": (
        "Event display",
        "Left: the transverse plane; right: eta and phi, where arrows become points. Jets have "
        "the colour of what the method takes them for, and say what they are where that is wrong; "
        "full points are generated, open ones reconstructed, triangles are top quarks.",
    ),
}
# Those that are unfolded most; the matrices of all are in the results.
MIGRATIONS = ("mtt", "top_pt", "c_hel", "c_han")
SHARES = {
    "assignment_accuracy": ("both right", 0.2, "o", "#bd1f01"),
    "either_accuracy": ("at least one right", 0.0, "s", "#3f90da"),
    "selection_accuracy": ("right two jets, either order", -0.2, "D", "#ffa90e"),
}
RECONSTRUCTED = {
    "jets": "number of jets",
    "btags": "number of b-tagged jets",
    "met": r"$E_\mathrm{T}^\mathrm{miss}$ [GeV]",
}


def captions_of(evaluation: Evaluation) -> Captions:
    """Return title and caption of each figure, of what the evaluation has."""
    if not any(method.name == "truth" for method in evaluation.methods):
        return CAPTIONS
    title, caption = CAPTIONS["observable"]
    line = "The line of truth shows what jets and leptons alone cost."
    return CAPTIONS | {"observable": (title, f"{caption} {line}")}


def draw(evaluation: Evaluation, directory: Path, style: str) -> list[Path]:
    """Draw what an evaluation has, in the order of a report; all else is as in `draw_figures`."""
    return draw_figures(_figures(evaluation), directory, style)


def _figures(evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    look = Look([method.name for method in evaluation.methods])
    yield "accuracy", accuracy(evaluation)
    for quantity in evaluation.methods[0].accuracy_by:
        yield f"accuracy_by_{quantity}", accuracy_by(quantity, evaluation, look)
    if len(evaluation.methods) > 1:
        yield "complements", complements(evaluation)
    for method in evaluation.methods:
        if method.name not in ("random", "truth"):
            yield f"confusion_{method.name}", confusion(method, evaluation)
    for method in evaluation.methods:
        yield from _of_network(method, evaluation)
    for name in evaluation.drawn:
        if any(name in method.observables for method in evaluation.methods):
            yield f"observable_{name}", observable(name, evaluation, look)
    for method in evaluation.methods:
        yield from _of_observables(method, evaluation)
    for number, event in enumerate(evaluation.displays, 1):
        yield f"display_{number}", display(event, evaluation)


def _of_network(method: MethodResult, evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    if method.scores:
        yield f"scores_{method.name}", scores(method, method.scores, evaluation)
    if method.coverage:
        yield f"coverage_{method.name}", coverage(method, evaluation)
    if method.importance:
        yield f"importance_{method.name}", importance(method, evaluation)


def _of_observables(method: MethodResult, evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    for name in method.spectra:
        yield f"collisions_{name}_{method.name}", collisions(name, method, evaluation)
    if method.neutrinos_of == method.name and method.description == UNDER_EVALUATION:
        for name in MIGRATIONS:
            yield f"migration_{name}_{method.name}", migration(name, method, evaluation)


def accuracy(evaluation: Evaluation) -> Figure:
    """Draw the three accuracies of every method."""
    rows = np.arange(len(evaluation.methods))[::-1]
    figure, (axes,) = new_figure(heights=(max(1.0, 0.1 * len(rows) + 0.3),))
    for metric, (meaning, offset, marker, colour) in SHARES.items():
        values, errors = np.array([method.metrics[metric] for method in evaluation.methods]).T
        axes.errorbar(values, rows + offset, xerr=errors, fmt=marker, color=colour, label=meaning)
    axes.set_yticks(rows, [method.name for method in evaluation.methods])
    axes.minorticks_off()
    axes.set(xlim=(0, 1.05), ylim=(-0.6, len(rows) - 0.4))
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("share of events with both b jets matched")
    figure.legend(loc="outside lower center", ncols=3, fontsize="small", columnspacing=1)
    label(axes, evaluation.energy_tev)
    return figure


def accuracy_by(quantity: str, evaluation: Evaluation, look: Look) -> Figure:
    """Draw the accuracy in bins of a quantity, and below it relative to the reference."""
    figure, (axes, below) = new_figure(rows=2, heights=(1.0, 0.5))
    methods = evaluation.methods
    for panel, part in ((axes, "accuracy_by"), (below, "relative_accuracy_by")):
        draw_binned(panel, [(each.name, getattr(each, part)[quantity]) for each in methods], look)
    if quantity in COUNTS:
        edges = methods[0].accuracy_by[quantity].edges
        counts = [round(low + 0.5) for low in edges[:-1]]
        below.set_xticks(counts, [str(count) for count in counts[:-1]] + [rf"$\geq${counts[-1]}"])
        for panel in (axes, below):
            panel.tick_params(axis="x", which="minor", bottom=False, top=False)
    below.axhline(1, color="grey", linewidth=0.8)
    axis = RECONSTRUCTED.get(quantity) or f"true {OBSERVABLES[quantity].axis}"
    below.set(xlabel=axis, ylabel=f"relative to\n{evaluation.reference}")
    axes.set(ylabel="share with both b jets right", ylim=(0, 1.05))
    axes.set_yticks(np.arange(0, 1.1, 0.2))
    handles, names = axes.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize="small")
    label(axes, evaluation.energy_tev)
    return figure


def scores(method: MethodResult, found: ScoreResult, evaluation: Evaluation) -> Figure:
    """Draw the scores of right and wrong assignments, and how often each score is right."""
    figure, (distribution, reliability) = new_figure(columns=2)
    for histogram, name, colour, line in (
        (found.right, "both right", "#3f90da", "-"),
        (found.wrong, "not both right", "#bd1f01", "--"),
    ):
        draw_density(distribution, histogram, colour=colour, line=line, name=name)
    distribution.set(xlim=(0, 1), ylim=(0, None))
    distribution.set(xlabel=f"score of {method.name}", ylabel="events / unit, normalised")
    distribution.legend(loc="upper left")
    label(distribution, evaluation.energy_tev)

    edges = np.array(found.accuracy.edges)
    centres, widths = (edges[:-1] + edges[1:]) / 2, np.diff(edges)
    values, errors = numbers(found.accuracy.values), numbers(found.accuracy.errors)
    style: dict[str, Any] = {"color": "#bd1f01", "fmt": "o", "label": method.name}
    reliability.errorbar(centres, values, xerr=widths / 2, yerr=errors, **style)
    reliability.plot([0, 1], [0, 1], color="grey", linestyle=":", label="calibrated")
    reliability.set(xlim=(0, 1), ylim=(0, 1.05))
    reliability.set(xlabel=f"score of {method.name}", ylabel="share with both right")
    error = method.metrics.get("calibration_error")
    title = f"calibration error {error.value:.3f} ± {error.error:.3f}" if error else None
    reliability.legend(loc="upper left", title=title, alignment="left")
    label(reliability, evaluation.energy_tev)
    return figure


def confusion(method: MethodResult, evaluation: Evaluation) -> Figure:
    """Draw which jet is chosen for b and for bbar, by the true one."""
    figure, panels = new_figure(columns=2)
    for axes, rows, quark in zip(panels, method.confusion, ("b", r"\bar{b}"), strict=True):
        shares = np.array(rows, dtype=np.float64)
        slots = len(shares)
        draw_percent(axes, shares.T)
        names = [str(slot + 1) for slot in range(slots)]
        axes.set_xticks(np.arange(slots) + 0.5, names)
        axes.set_yticks(np.arange(slots + 1) + 0.5, [*names, "none"])
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
    shares = np.full((len(names), len(names)), np.nan)
    for found in evaluation.complements:
        shares[names.index(found.wrong), names.index(found.right)] = found.share.value
    draw_percent(axes, shares, digits=1, of="matched events")
    centres = np.arange(len(names)) + 0.5
    axes.set_xticks(centres, names, rotation=30, ha="right")
    axes.set_yticks(centres, names)
    axes.minorticks_off()
    axes.set(xlabel="right", ylabel="wrong")
    label(axes, evaluation.energy_tev)
    return figure


def importance(method: MethodResult, evaluation: Evaluation) -> Figure:
    """Draw what the accuracy loses where an input is permuted."""
    figure, (axes,) = new_figure()
    found = method.importance[::-1]
    places = np.arange(len(found))
    values, errors = np.array([each.drop for each in found]).T
    colours = ["#3f90da" if each.feature else "#a96b59" for each in found]
    axes.barh(places, values, xerr=errors, color=colours)
    names = [f"{each.collection} {each.feature or '(all)'}" for each in found]
    axes.set_yticks(places, names)
    axes.minorticks_off()
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_xlabel(f"loss in accuracy of {method.name}, input permuted")
    label(axes, evaluation.energy_tev)
    return figure


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
