"""The figure of the ROC curves."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rootflow.evaluation.classification.figures.common import counted, label_simulation
from rootflow.evaluation.classification.naming import parts_of
from rootflow.evaluation.classification.results import ClassificationEvaluation, Ranking
from rootflow.evaluation.figures.style import Look, new_figure
from rootflow.evaluation.page import with_error

# Where the background is known worse than this, relatively, the band says nothing any more.
LARGEST_ERROR = 0.5
# The rejection of a guess has no end towards an efficiency of zero.
LOWEST_EFFICIENCY = 0.05


def roc(evaluation: ClassificationEvaluation, look: Look) -> Figure:
    """Draw the background rejection of every model against its signal efficiency.

    Left of all events, right of those that count in significances, where not all do.
    """
    parts = [
        [(model.name, part.ranking) for part in parts_of(model)] for model in evaluation.models
    ]
    regions = list(zip(*parts, strict=True))
    titles = ["all events", *counted(evaluation)] if len(regions) > 1 else [None]
    figure, panels = new_figure(columns=len(regions))
    for axes, rankings, title in zip(panels, regions, titles, strict=True):
        _draw(axes, rankings, look, title)
        label_simulation(axes, evaluation)
    return figure


def _draw(
    axes: Axes, rankings: Sequence[tuple[str, Ranking]], look: Look, title: str | None
) -> None:
    for name, ranking in rankings:
        efficiency, background, error = map(np.array, ranking.roc)
        drawn = (background > 0) & (error <= LARGEST_ERROR * background)
        efficiency, background, error = efficiency[drawn], background[drawn], error[drawn]
        colour = look.colour(name)
        axes.plot(
            efficiency,
            1 / background,
            color=colour,
            linestyle=look.line(name),
            label=f"{name}: AUC {with_error(ranking.auc)}",
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
    axes.legend(
        loc="upper right",
        fontsize="small",
        title=title,
        title_fontsize="small",
        alignment="left",
    )
