"""What the figures of classifiers have in common."""

from typing import Any

from matplotlib.axes import Axes

from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.figures.stack import BACKGROUNDS, SIGNALS, Described

SIGNAL, BACKGROUND = SIGNALS[0], BACKGROUNDS[0]


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
