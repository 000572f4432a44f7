"""The figure of scores in training and unseen."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rootflow.estimate import ABSENT, with_error
from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.classification.figures.common import (
    BACKGROUND,
    SIGNAL,
    counted,
    titled_legend,
)
from rootflow.evaluation.classification.metrics import PartOfEvents, parts_of
from rootflow.evaluation.classification.results import (
    ClassOverTraining,
    HypothesisTest,
    ModelResult,
    OverTraining,
)
from rootflow.evaluation.figures.style import density, draw_density, label, new_figure
from rootflow.p_value import ASYMPTOTIC, PValue

# Of the vertical axis: relative to its upper end, and room for the legend.
LOWEST, HEADROOM = 1e-4, 200


def over_training(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw the scores of events seen in training, filled, and of unseen ones, as points.

    Left of all events, right of those that count in significances, where not all do.
    """
    parts = parts_of(model)
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
    return f"KS: {_p_value(found.kolmogorov_smirnov)}, $\\chi^2$: {_p_value(found.chi2)}"


def _p_value(test: HypothesisTest | None) -> str:
    return ABSENT if test is None else PValue(test.p_value, ASYMPTOTIC).equation
