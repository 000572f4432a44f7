"""The figure of the sculpting test."""

from itertools import pairwise

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.classification.observable import EventObservable
from rootflow.evaluation.classification.results import ModelResult, Sculpting
from rootflow.evaluation.figures.style import density, draw_density, label, new_figure
from rootflow.evaluation.results import Histogram
from rootflow.p_value import PValue


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
    _draw_shapes(shapes, found, names, observable)
    _draw_distances(distances, found, names, evaluation.replicas)
    distances.set_xlabel(f"background, rising in score of {model.name}")
    label(shapes, evaluation.energy_tev)
    label(distances, evaluation.energy_tev)
    return figure


def _draw_shapes(
    axes: Axes, found: Sculpting, names: list[str], observable: EventObservable
) -> None:
    inclusive = _within(found.inclusive)
    axes.stairs(density(inclusive), inclusive.edges, fill=True, color="#dddddd", label="all")
    palette = mpl.colormaps["plasma"](np.linspace(0, 0.8, len(names)))
    for colour, name, each in zip(palette, names, found.observable, strict=True):
        draw_density(axes, _within(each), colour=to_hex(colour), name=name)
    axes.set(xlim=(inclusive.edges[0], inclusive.edges[-1]), ylim=(0, 1.5 * axes.get_ylim()[1]))
    unit = observable.unit
    axes.set_xlabel(f"{observable.title} of background" + (f" [{unit}]" if unit else ""))
    axes.set_ylabel("density of weighted events" + (f" [1/{unit}]" if unit else ""))
    axes.legend(loc="upper right", fontsize="small")


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
