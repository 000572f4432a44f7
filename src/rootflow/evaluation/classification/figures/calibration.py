"""The figure of the calibration."""

import numpy as np
from matplotlib.figure import Figure

from rootflow.evaluation.classification.figures.common import label_simulation
from rootflow.evaluation.classification.results import ClassificationEvaluation
from rootflow.evaluation.figures.style import Look, new_figure, numbers
from rootflow.evaluation.page import with_error


def calibration(evaluation: ClassificationEvaluation, look: Look) -> Figure:
    """Draw the share of signal against the score, and below it how often each score is given."""
    figure, (reliability, frequency) = new_figure(rows=2, heights=(0.85, 0.35))
    reliability.plot([0, 1], [0, 1], color="grey", linestyle=":")
    for model in evaluation.models:
        found = model.calibration
        colour = look.colour(model.name)
        reliability.errorbar(
            numbers(found.mean_scores),
            numbers(found.reliability.values),
            yerr=numbers(found.reliability.errors),
            color=colour,
            marker=look.marker(model.name),
            markersize=5,
            linestyle="none",
            label=f"{model.name}\nECE {with_error(found.expected_calibration_error)}, "
            f"Brier {with_error(found.brier_score)}",
        )
        frequency.stairs(
            np.array(found.shares),
            found.reliability.edges,
            color=colour,
            linestyle=look.line(model.name),
            linewidth=1.5,
        )
    # Room for the legend above a share of one.
    reliability.set_ylim(0, 1.1 + 0.18 * len(evaluation.models))
    reliability.set_yticks(np.arange(0, 1.1, 0.2))
    reliability.set_ylabel("share of signal, classes balanced")
    reliability.legend(loc="upper left", fontsize="small")
    frequency.set_xlim(0, 1)
    frequency.set_ylim(bottom=0)
    frequency.set_xlabel("score")
    frequency.set_ylabel("share / bin")
    label_simulation(reliability, evaluation)
    return figure
