"""The figure of the ROC curves."""

import numpy as np
from matplotlib.figure import Figure

from rootflow.evaluation.classification.figures.common import label_simulation
from rootflow.evaluation.classification.results import ClassificationEvaluation
from rootflow.evaluation.figures.style import Look, new_figure
from rootflow.evaluation.page import with_error

# Where the background is known worse than this, relatively, the band says nothing any more.
LARGEST_ERROR = 0.5
# The rejection of a guess has no end towards an efficiency of zero.
LOWEST_EFFICIENCY = 0.05


def roc(evaluation: ClassificationEvaluation, look: Look) -> Figure:
    """Draw the background rejection of every model against its signal efficiency."""
    figure, (axes,) = new_figure()
    for model in evaluation.models:
        curve = model.ranking.roc
        efficiency, background, error = map(np.array, curve)
        drawn = (background > 0) & (error <= LARGEST_ERROR * background)
        efficiency, background, error = efficiency[drawn], background[drawn], error[drawn]
        colour = look.colour(model.name)
        axes.plot(
            efficiency,
            1 / background,
            color=colour,
            linestyle=look.line(model.name),
            label=f"{model.name}: AUC {with_error(model.ranking.auc)}",
        )
        axes.fill_between(
            efficiency,
            1 / (background + error),
            1 / (background - error),
            color=colour,
            alpha=0.2,
            linewidth=0,
        )
    guess = np.linspace(LOWEST_EFFICIENCY, 1, 100)
    axes.plot(guess, 1 / guess, color="grey", linestyle=":", label="a guess: AUC 0.5")
    axes.set_yscale("log")
    axes.set_xlim(0, 1)
    axes.set_ylim(bottom=1)
    axes.set_xlabel("signal efficiency, weighted")
    axes.set_ylabel("background rejection (1 / efficiency)")
    axes.legend(loc="upper right", fontsize="small")
    label_simulation(axes, evaluation)
    return figure
