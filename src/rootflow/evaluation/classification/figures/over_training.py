"""The figure of scores of seen and unseen events."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rootflow.evaluation.classification.figures.common import (
    BACKGROUND,
    SIGNAL,
    label_simulation,
)
from rootflow.evaluation.classification.results import (
    ClassificationEvaluation,
    ClassOverTraining,
    HypothesisTest,
    ModelResult,
)
from rootflow.evaluation.figures.style import density, draw_density, new_figure
from rootflow.evaluation.results import Histogram

# Of the vertical axis: relative to its upper end, and room for the legend.
LOWEST, HEADROOM = 1e-4, 30


def over_training(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw the scores of events seen in training, filled, and of unseen ones, as points."""
    figure, (axes,) = new_figure()
    for name, found, colour, marker in (
        ("signal", model.over_training.signal, SIGNAL, "o"),
        ("background", model.over_training.background, BACKGROUND, "s"),
    ):
        draw_density(axes, found.train, colour=colour, line="-", name=f"{name}, seen in training")
        axes.stairs(density(found.train), found.train.edges, fill=True, color=colour, alpha=0.15)
        _draw_points(axes, found.test, colour, marker, f"{name}, unseen\n{_tests(found)}")
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"score of {model.name}")
    axes.set_ylabel("density of weighted events")
    # Where scores pile up at 0 and 1, all else is seen on a logarithmic axis only.
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, LOWEST * high), high * HEADROOM)
    axes.legend(loc="upper center", ncols=2, fontsize="x-small", columnspacing=1.0)
    label_simulation(axes, evaluation)
    return figure


def _draw_points(axes: Axes, histogram: Histogram, colour: str, marker: str, name: str) -> None:
    edges = np.array(histogram.edges)
    axes.errorbar(
        (edges[:-1] + edges[1:]) / 2,
        density(histogram),
        yerr=np.sqrt(histogram.squared_weights) / histogram.total / np.diff(edges),
        color=colour,
        marker=marker,
        markersize=4,
        linestyle="none",
        label=name,
    )


def _tests(found: ClassOverTraining) -> str:
    return f"KS: {_p_value(found.kolmogorov_smirnov)}, $\\chi^2$: {_p_value(found.chi2)}"


def _p_value(test: HypothesisTest | None) -> str:
    return "–" if test is None else f"p = {test.p_value:.2g}"  # noqa: RUF001
