"""Figures of what a score can do, of the observable and of scores, and of the sculpting test."""

from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from rootflow.estimate import ABSENT, ASYMPTOTIC, PValue, with_error
from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.classification.labelled import EventObservable
from rootflow.evaluation.classification.results import (
    Classes,
    ClassOverTraining,
    FitSignificance,
    ModelResult,
    OverTraining,
    PartOfEvents,
    Sculpting,
)
from rootflow.evaluation.figures.stack import BACKGROUNDS, SIGNALS, Described, stack
from rootflow.evaluation.figures.style import (
    Look,
    density,
    draw_density,
    draw_percent,
    label,
    new_figure,
    numbers,
)
from rootflow.evaluation.results import Histogram, Spectrum

SIGNAL, BACKGROUND = SIGNALS[0], BACKGROUNDS[0]
# Where the background is known worse than this, relatively, the band says nothing any more.
LARGEST_ERROR = 0.5
# The rejection of a guess has no end towards an efficiency of zero.
LOWEST_EFFICIENCY = 0.05
# Of a figure's usual height, for each input; and for what is around them.
HEIGHT, AROUND = 0.055, 0.25
# Of scores, on the vertical axis: relative to its upper end, and room for the legend.
LOWEST, HEADROOM = 1e-4, 200
BAND: dict[str, Any] = {"alpha": 0.2, "linewidth": 0}


def described(evaluation: ClassificationEvaluation) -> Described:
    """Return what the stacks have in common; a process has the same colour in all."""
    return Described(
        evaluation.processes,
        evaluation.energy_tev,
        evaluation.background_uncertainty,
        evaluation.luminosity_fb_inverse,
    )


def counted(evaluation: ClassificationEvaluation) -> list[str]:
    """Return one line that says which events count in significances, where not all do."""
    observable, window = evaluation.observable, evaluation.significance_window
    if observable is None or window is None:
        return []
    return [f"events with {observable.inequality(window)}"]


def titled_legend(axes: Axes, title: str | None, **placed: Any) -> None:
    """Draw a legend below a title of one or more lines."""
    small = {"fontsize": "small", "title_fontsize": "small"}
    axes.legend(title=title, alignment="left", **{**small, **placed})


def roc(evaluation: ClassificationEvaluation, look: Look) -> Figure:
    """Draw the background rejection of every model against its signal efficiency.

    Left of all events, right of those that count in significances, where not all do.
    """
    parts = [[(each.name, part.ranking) for part in each.parts] for each in evaluation.models]
    regions = list(zip(*parts, strict=True))
    titles = ["all events", *counted(evaluation)] if len(regions) > 1 else [None]
    figure, panels = new_figure(columns=len(regions))
    for axes, rankings, title in zip(panels, regions, titles, strict=True):
        for name, ranking in rankings:
            efficiency, background, error = map(np.array, ranking.roc)
            known = (background > 0) & (error <= LARGEST_ERROR * background)
            # Nor left of where it is not known: a process may have run out of simulation there.
            drawn = np.logical_and.accumulate(known[::-1])[::-1]
            efficiency, background, error = efficiency[drawn], background[drawn], error[drawn]
            colour, _, line = look[name]
            words = f"{name}: AUC {with_error(ranking.auc)}"
            axes.plot(efficiency, 1 / background, color=colour, linestyle=line, label=words)
            low, high = 1 / (background + error), 1 / (background - error)
            axes.fill_between(efficiency, low, high, color=colour, **BAND)
        guess = np.linspace(LOWEST_EFFICIENCY, 1, 100)
        axes.plot(guess, 1 / guess, color="grey", linestyle=":", label="a guess: AUC 0.5")
        axes.set_yscale("log")
        # From one, so that a power leaves the legend a share of the height.
        axes.set(xlim=(0, 1), ylim=(1, axes.get_ylim()[1] ** 1.25))
        axes.set(xlabel="signal efficiency, weighted")
        axes.set(ylabel="background rejection (1 / efficiency)")
        titled_legend(axes, title, loc="upper right")
        label(axes, evaluation.energy_tev)
    return figure


def scan(model: ModelResult, evaluation: ClassificationEvaluation, look: Look) -> Figure:
    """Draw the expected significance and the efficiencies of every cut on the score."""
    found, best = model.scan, model.best_cut
    figure, (significance, efficiency) = new_figure(rows=2, heights=(0.8, 0.45))
    values, errors = numbers(found.significance), numbers(found.significance_errors)
    cuts, colour = found.thresholds, look[model.name].colour
    with_uncertainty = f"Asimov, background ± {evaluation.background_uncertainty:.0%}"
    significance.plot(cuts, values, color=colour, label=with_uncertainty)
    significance.fill_between(cuts, values - errors, values + errors, color=colour, **BAND)
    highest = 1.8 * np.nanmax(values + errors)
    # s / sqrt(b) has no end where little background is left: it may leave the panel.
    simple = numbers(found.s_over_sqrt_b)
    least = np.nanmin(simple)
    beyond = "" if least < highest else f": {least:.3g} or more"
    significance.plot(cuts, simple, color="grey", linestyle="--", label=f"s / √b{beyond}")
    found_best = f"best cut: {best.threshold:.3g}, significance {with_error(best.significance)}"
    significance.set(ylim=(0, highest), ylabel="expected significance")
    title = "\n".join([*counted(evaluation), found_best])
    titled_legend(significance, title, loc="upper left", ncols=2)
    for name, shares, process_colour, line in (
        ("signal", found.signal_efficiency, SIGNAL, "-"),
        ("background", found.background_efficiency, BACKGROUND, "--"),
    ):
        efficiency.plot(cuts, shares, color=process_colour, linestyle=line, label=name)
    for axes in (significance, efficiency):
        axes.axvline(best.threshold, color="black", linewidth=0.8, linestyle=":")
    # The first threshold keeps everything, and may be far from the next one.
    efficiency.set(xlim=(cuts[min(1, len(cuts) - 1)], 1), ylim=(0, 1.05))
    efficiency.set(xlabel=f"lowest score of {model.name} that is kept", ylabel="efficiency")
    efficiency.legend(loc="best", fontsize="small")
    label(significance, evaluation.energy_tev, evaluation.luminosity_fb_inverse)
    return figure


def calibration(evaluation: ClassificationEvaluation, look: Look) -> Figure:
    """Draw the share of signal against the score, and below it how often each score is given."""
    figure, (reliability, frequency) = new_figure(rows=2, heights=(0.85, 0.35))
    reliability.plot([0, 1], [0, 1], color="grey", linestyle=":")
    for model in evaluation.models:
        found = model.calibration
        edges, shares, errors = found.reliability
        colour, marker, line = look[model.name]
        reliability.errorbar(
            numbers(found.mean_scores),
            numbers(shares),
            yerr=numbers(errors),
            color=colour,
            fmt=marker,
            markersize=5,
            label=f"{model.name}\nECE {with_error(found.expected_calibration_error)}, "
            f"Brier {with_error(found.brier_score)}",
        )
        given = np.array(found.shares)
        frequency.stairs(given, edges, color=colour, linestyle=line, linewidth=1.5)
    # Room for the legend above a share of one.
    reliability.set_ylim(0, 1.1 + 0.18 * len(evaluation.models))
    reliability.set_yticks(np.arange(0, 1.1, 0.2))
    reliability.set_ylabel("share of signal, classes balanced")
    reliability.legend(loc="upper left", fontsize="small")
    frequency.set(xlim=(0, 1), ylim=(0, None), xlabel="score", ylabel="share / bin")
    label(reliability, evaluation.energy_tev)
    return figure


def importance(model: ModelResult, evaluation: ClassificationEvaluation, look: Look) -> Figure:
    """Draw what is lost without each input, the largest loss on top."""
    found = model.importance
    figure, (axes,) = new_figure(heights=(max(0.6, AROUND + HEIGHT * len(found)),))
    rows = np.arange(len(found))[::-1]
    values, errors = np.array([each.drop for each in found]).T
    axes.barh(
        rows,
        values,
        xerr=errors,
        color=look[model.name].colour,
        error_kw={"ecolor": "black", "elinewidth": 1.2},
        height=0.7,
    )
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(rows, [f"{each.collection}: {each.feature}" for each in found])
    axes.ticklabel_format(axis="x", style="plain")
    axes.tick_params(axis="y", which="both", left=False, right=False, labelsize="small")
    axes.tick_params(axis="y", which="minor", length=0)
    axes.set_ylim(-0.7, len(found) - 0.3)
    axes.set_xlabel(f"loss of AUC of {model.name} with the input permuted")
    label(axes, evaluation.energy_tev)
    return figure


def confusion(model: ModelResult, found: Classes, evaluation: ClassificationEvaluation) -> Figure:
    """Draw which class the events of each class are given."""
    figure, (axes,) = new_figure()
    names = [f"{each.name}\nAUC {with_error(each.auc)}" for each in found.one_against_rest]
    shares = np.array([[share.value for share in row] for row in found.confusion])
    draw_percent(axes, shares.T, digits=1, of="the true class")
    centres = np.arange(len(names)) + 0.5
    axes.set_xticks(centres, names, fontsize="small")
    axes.set_yticks(centres, evaluation.classes)
    axes.minorticks_off()
    axes.set(xlabel="true class", ylabel=f"class of the highest probability, {model.name}")
    label(axes, evaluation.energy_tev)
    return figure


def over_training(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw the scores of events seen in training, filled, and of unseen ones, as points.

    Left of all events, right of those that count in significances, where not all do.
    """
    parts = model.parts
    names = ["all events", *counted(evaluation)] if len(parts) > 1 else ["all events"]
    figure, panels = new_figure(columns=len(parts))
    for axes, part, name in zip(panels, parts, names, strict=True):
        if part.over_training is not None:
            _draw_over_training(axes, part, part.over_training, name, evaluation.replicas)
        axes.set_xlabel(f"score of {model.name}")
        label(axes, evaluation.energy_tev)
    return figure


def _draw_over_training(
    axes: Axes, part: PartOfEvents, over_training: OverTraining, events: str, replicas: int
) -> None:
    for name, found, colour, marker in (
        ("signal", over_training.signal, SIGNAL, "o"),
        ("background", over_training.background, BACKGROUND, "s"),
    ):
        draw_density(axes, found.train, colour=colour, name=f"{name}, in training")
        axes.stairs(density(found.train), found.train.edges, fill=True, color=colour, alpha=0.15)
        unseen = f"{name}, unseen\n{_tests(found)}"
        draw_density(axes, found.test, colour=colour, name=unseen, marker=marker)
    in_training = over_training.ranking
    title = (
        f"{events}\nAUC {with_error(in_training.auc)} in training, "
        f"{with_error(part.ranking.auc)} unseen\n"
        f"apart {with_error(in_training.excess)}, {PValue(in_training.p_value, replicas).equation}"
    )
    axes.set(xlim=(0, 1), ylabel="density of weighted events")
    # Where scores pile up at 0 and 1, all else is seen on a logarithmic axis only.
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, LOWEST * high), high * HEADROOM)
    titled_legend(axes, title, loc="upper center", ncols=2, fontsize="x-small", columnspacing=1.0)


def _tests(found: ClassOverTraining) -> str:
    tests = {"KS": found.kolmogorov_smirnov, r"$\chi^2$": found.chi2}
    p_values = {name: test and PValue(test.p_value, ASYMPTOTIC) for name, test in tests.items()}
    return ", ".join(
        f"{name}: {ABSENT if p_value is None else p_value.equation}"
        for name, p_value in p_values.items()
    )


def observable(
    evaluation: ClassificationEvaluation,
    drawn: EventObservable,
    spectrum: Spectrum,
    model: ModelResult | None = None,
) -> Figure:
    """Draw the observable before any cut, or after the best cut on a model's score.

    Lines are around the events that count in significances, where not all do.
    """
    note = "before any cut"
    if model is not None:
        note = rf"{model.name} $\geq$ {model.best_cut.threshold:.3g}"
    figure = stack(
        described(evaluation), spectrum, quantity=drawn.title, unit=drawn.unit, note=note
    )
    for edge in evaluation.significance_window or ():
        # The legend is above.
        figure.axes[0].axvline(edge, ymax=0.6, color="grey", linestyle=":", linewidth=1.0)
    return figure


def fit(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw what the fit of the signal strength is given."""
    found = model.fit
    lines = [
        *counted(evaluation),
        _line("statistics only", found.statistics_only),
        _line("with systematics", found.with_systematics),
    ]
    return stack(
        described(evaluation),
        found.scores,
        quantity=f"score of {model.name}",
        log=True,
        equal_bins=True,
        note="\n".join(lines),
    )


def _line(name: str, found: FitSignificance) -> str:
    observed = "" if found.observed is None else f", observed {found.observed:.2f}"
    return f"{name}: expected {found.expected:.2f}{observed} s.d."


def sculpting(
    model: ModelResult,
    found: Sculpting,
    observable: EventObservable,
    evaluation: ClassificationEvaluation,
) -> Figure:
    """Draw background's observable in bins of the score, and how far each is from all scores."""
    figure, (shapes, distances) = new_figure(columns=2)
    shown = np.cumsum([0.0, *(_within(each).total for each in found.observable)])
    names = [f"{low:.0f} to {high:.0f} %" for low, high in pairwise(100 * shown / shown[-1])]
    inclusive, unit = _within(found.inclusive), observable.unit
    shapes.stairs(density(inclusive), inclusive.edges, fill=True, color="#dddddd", label="all")
    palette = mpl.colormaps["plasma"](np.linspace(0, 0.8, len(names)))
    for colour, name, each in zip(palette, names, found.observable, strict=True):
        draw_density(shapes, _within(each), colour=to_hex(colour), name=name)
    shapes.set(xlim=(inclusive.edges[0], inclusive.edges[-1]))
    shapes.set(ylim=(0, 1.5 * shapes.get_ylim()[1]))
    shapes.set_xlabel(f"{observable.title} of background" + (f" [{unit}]" if unit else ""))
    shapes.set_ylabel("density of weighted events" + (f" [1/{unit}]" if unit else ""))
    shapes.legend(loc="upper right", fontsize="small")
    _draw_distances(distances, found, names, evaluation.replicas)
    distances.set_xlabel(f"background, rising in score of {model.name}")
    label(shapes, evaluation.energy_tev)
    label(distances, evaluation.energy_tev)
    return figure


def _within(histogram: Histogram) -> Histogram:
    """Return the histogram of the events that are in its bins: the shape is compared there."""
    return histogram._replace(total=sum(histogram.weights))


def _draw_distances(axes: Axes, found: Sculpting, names: list[str], replicas: int) -> None:
    """Draw a column for each bin of the score: they hold the same background."""
    edges, places = np.arange(len(names) + 1) - 0.5, np.arange(len(names))
    means, spreads = np.array([each.expected for each in found.divergences]).T
    for width, alpha in ((2, 0.25), (1, 0.35)):
        axes.stairs(
            means + width * spreads,
            edges,
            baseline=np.maximum(means - width * spreads, 0),
            fill=True,
            color="grey",
            alpha=alpha,
            label="statistics alone, 1 and 2 s.d." if width == 1 else None,
        )
    values, errors = np.array([each.value for each in found.divergences]).T
    axes.errorbar(places, values, yerr=errors, fmt="o", color="black", label="found")
    for place, top, each in zip(places, values + errors, found.divergences, strict=True):
        axes.annotate(
            PValue(each.p_value, replicas).equation,
            (place, top),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize="small",
        )
    axes.set_xlim(edges[0], edges[-1])
    highest = max(np.max(values + errors), np.max(means + 2 * spreads))
    axes.set_ylim(0, 1.45 * highest or 1.0)  # 0 of an observable with all events in one bin
    axes.set_xticks(places, names, fontsize="small" if len(names) <= 5 else "xx-small")
    axes.tick_params(axis="x", which="minor", bottom=False, top=False)
    axes.set_ylabel("Jensen-Shannon divergence [bit]")
    axes.legend(loc="upper right", fontsize="small")
