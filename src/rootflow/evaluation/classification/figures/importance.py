"""The figure of the permutation importance."""

import numpy as np
from matplotlib.figure import Figure

from rootflow.evaluation.classification.figures.common import label_simulation
from rootflow.evaluation.classification.results import ClassificationEvaluation, ModelResult
from rootflow.evaluation.figures.style import Look, new_figure

# Of a figure's usual height, for each input; and for what is around them.
HEIGHT, AROUND = 0.055, 0.25


def importance(model: ModelResult, evaluation: ClassificationEvaluation, look: Look) -> Figure:
    """Draw what is lost without each input, the largest loss on top."""
    found = model.importance
    figure, (axes,) = new_figure(heights=(max(0.6, AROUND + HEIGHT * len(found)),))
    rows = np.arange(len(found))[::-1]
    axes.barh(
        rows,
        [each.auc_drop.value for each in found],
        xerr=[each.auc_drop.error for each in found],
        color=look.colour(model.name),
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
    label_simulation(axes, evaluation)
    return figure
