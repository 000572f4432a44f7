"""The figures of the observable and of the scores, and of the sculpting test."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.classification.figures.performance import counted, described
from rootflow.evaluation.classification.observable import EventObservable
from rootflow.evaluation.classification.results import (
    FitSignificance,
    ModelResult,
    OneAgainstRest,
    Sculpting,
)
from rootflow.evaluation.figures.stack import stack
from rootflow.evaluation.figures.style import density, draw_density, label, new_figure
from rootflow.evaluation.results import Histogram, Spectrum
from rootflow.p_value import PValue


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


def scores(
    model: ModelResult, evaluation: ClassificationEvaluation, one: OneAgainstRest | None = None
) -> Figure:
    """Draw the score of each process, or the probability of one of several classes."""
    spectrum = model.scores if one is None else one.scores
    what = "score" if one is None else f"probability of {one.name}"
    return stack(described(evaluation), spectrum, quantity=f"{what} of {model.name}", log=True)


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
