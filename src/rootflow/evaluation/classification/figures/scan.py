"""The figure of significance against the cut."""

import numpy as np
from matplotlib.figure import Figure

from rootflow.evaluation.classification.figures.common import (
    BACKGROUND,
    SIGNAL,
    counted,
)
from rootflow.evaluation.classification.results import ClassificationEvaluation, ModelResult
from rootflow.evaluation.figures.style import Look, label, new_figure, numbers
from rootflow.evaluation.page import with_error


def scan(model: ModelResult, evaluation: ClassificationEvaluation, look: Look) -> Figure:
    """Draw the expected significance and the efficiencies of every cut on the score."""
    found, best = model.scan, model.best_cut
    figure, (significance, efficiency) = new_figure(rows=2, heights=(0.8, 0.45))
    values, errors = numbers(found.significance), numbers(found.significance_errors)
    colour = look.colour(model.name)
    with_uncertainty = f"Asimov, background ± {evaluation.background_uncertainty:.0%}"
    significance.plot(found.thresholds, values, color=colour, label=with_uncertainty)
    significance.fill_between(
        found.thresholds, values - errors, values + errors, color=colour, alpha=0.2, linewidth=0
    )
    significance.plot(
        found.thresholds,
        numbers(found.s_over_sqrt_b),
        color="grey",
        linestyle="--",
        label="s / √b",
    )
    found_best = f"best cut: {best.threshold:.3g}, significance {with_error(best.significance)}"
    # s / sqrt(b) has no end where little background is left: it may leave the panel.
    significance.set_ylim(0, 1.8 * np.nanmax(values + errors))
    significance.set_ylabel("expected significance")
    significance.legend(
        loc="upper left",
        fontsize="small",
        ncols=2,
        title="\n".join([*counted(evaluation), found_best]),
        title_fontsize="small",
        alignment="left",
    )
    for name, shares, process_colour, line in (
        ("signal", found.signal_efficiency, SIGNAL, "-"),
        ("background", found.background_efficiency, BACKGROUND, "--"),
    ):
        efficiency.plot(found.thresholds, shares, color=process_colour, linestyle=line, label=name)
    for axes in (significance, efficiency):
        axes.axvline(best.threshold, color="black", linewidth=0.8, linestyle=":")
    # The first threshold keeps everything, and may be far from the next one.
    efficiency.set_xlim(found.thresholds[min(1, len(found.thresholds) - 1)], 1)
    efficiency.set_ylim(0, 1.05)
    efficiency.set_xlabel(f"lowest score of {model.name} that is kept")
    efficiency.set_ylabel("efficiency")
    efficiency.legend(loc="best", fontsize="small")
    label(significance, evaluation.energy_tev, evaluation.luminosity_fb_inverse)
    return figure
