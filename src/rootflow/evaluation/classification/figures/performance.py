"""Figures of what a score can do: ROC curves, cuts, calibration, classes, over-training."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rootflow.estimate import ABSENT, with_error
from rootflow.evaluation.classification.evaluation import (
    ClassificationEvaluation,
)
from rootflow.evaluation.classification.results import (
    Classes,
    ClassOverTraining,
    ModelResult,
    OverTraining,
    PartOfEvents,
)
from rootflow.evaluation.figures.stack import BACKGROUNDS, SIGNALS, Described
from rootflow.evaluation.figures.style import (
    Look,
    density,
    draw_density,
    draw_percent,
    label,
    new_figure,
    numbers,
)
from rootflow.p_value import ASYMPTOTIC, PValue

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
            drawn = (background > 0) & (error <= LARGEST_ERROR * background)
            efficiency, background, error = efficiency[drawn], background[drawn], error[drawn]
            colour, _, line = look[name]
            known = f"{name}: AUC {with_error(ranking.auc)}"
            axes.plot(efficiency, 1 / background, color=colour, linestyle=line, label=known)
            low, high = 1 / (background + error), 1 / (background - error)
            axes.fill_between(efficiency, low, high, color=colour, **BAND)
        guess = np.linspace(LOWEST_EFFICIENCY, 1, 100)
        axes.plot(guess, 1 / guess, color="grey", linestyle=":", label="a guess: AUC 0.5")
        axes.set_yscale("log")
        axes.set(xlim=(0, 1), ylim=(1, None))
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
    simple = numbers(found.s_over_sqrt_b)
    significance.plot(cuts, simple, color="grey", linestyle="--", label="s / √b")
    found_best = f"best cut: {best.threshold:.3g}, significance {with_error(best.significance)}"
    # s / sqrt(b) has no end where little background is left: it may leave the panel.
    significance.set(ylim=(0, 1.8 * np.nanmax(values + errors)), ylabel="expected significance")
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
            _draw(axes, part, part.over_training, name, evaluation.replicas)
        axes.set_xlabel(f"score of {model.name}")
        label(axes, evaluation.energy_tev)
    return figure


def _draw(
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
