"""Stacked expectations with data: the figures of m(4l) and of scores."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from rootflow.evaluation.classification.figures.common import colours_of
from rootflow.evaluation.classification.results import ClassificationEvaluation, Counts, Spectrum
from rootflow.evaluation.figures.style import label, new_figure

# Data over expectation beyond it are arrows at the edge.
HIGHEST_RATIO = 3.0


def stack(
    evaluation: ClassificationEvaluation,
    spectrum: Spectrum,
    *,
    quantity: str,
    unit: str = "",
    log: bool = False,
    equal_bins: bool = False,
    note: str | None = None,
) -> Figure:
    """Draw the expectation of each process on top of each other, data, and their ratio.

    Backgrounds are below, the smallest at the bottom, signals on top of them. Without data
    there is no ratio.

    Parameters
    ----------
    evaluation
        Whose processes, uncertainty and luminosity they are.
    spectrum
        What to draw.
    quantity, unit
        On the horizontal axis.
    log
        Whether the vertical axis is logarithmic.
    equal_bins
        Whether bins are drawn equally wide, and only their edges say how wide they are.
    note
        Title of the legend.
    """
    names_of_edges = [f"{edge:.3g}" for edge in spectrum.edges]
    if equal_bins:
        spectrum = _with_edges(spectrum, tuple(map(float, range(len(spectrum.edges)))))
    data = spectrum.data if spectrum.data is not None and any(spectrum.data.counts) else None
    if data is None:
        figure, (axes,) = new_figure()
    else:
        figure, (axes, ratio) = new_figure(rows=2, heights=(0.9, 0.3))
    expected, error = _expectation(evaluation, spectrum)
    _draw_processes(axes, evaluation, spectrum)
    edges = np.array(spectrum.edges)
    uncertainty = (
        f"uncertainty: simulation, {100 * evaluation.background_uncertainty:.3g} % background"
    )
    _draw_band(axes, edges, expected - error, expected + error, uncertainty)
    if data is not None:
        _draw_data(axes, data, evaluation.data)
        _draw_ratio(ratio, edges, expected, error, data)
    axes.set_ylabel(f"events / {'bin' if equal_bins else _width(edges, unit)}")
    _leave_room(axes, expected + error, data, log=log)
    bottom = axes if data is None else ratio
    bottom.set_xlabel(f"{quantity} [{unit}]" if unit else quantity)
    bottom.set_xlim(edges[0], edges[-1])
    if equal_bins:
        bottom.set_xticks(edges, names_of_edges, fontsize="x-small")
        bottom.tick_params(axis="x", which="minor", bottom=False, top=False)
    handles, names = axes.get_legend_handles_labels()
    axes.legend(
        handles[::-1],
        names[::-1],
        loc="upper right",
        ncols=2 if log else 1,
        fontsize="x-small" if log else "small",
        title=note,
        title_fontsize="x-small" if log else "small",
        alignment="left",
    )
    simulated = data is None or evaluation.data == "pseudo-data"
    what = "Simulation" if simulated else "Data and simulation"
    label(axes, evaluation.energy_tev, evaluation.luminosity_fb_inverse, what=what)
    return figure


def _expectation(
    evaluation: ClassificationEvaluation, spectrum: Spectrum
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum of all processes in each bin and its uncertainty."""
    histograms = spectrum.processes
    backgrounds = {p.name for p in evaluation.processes if p.label == "background"}
    expected = np.sum([h.weights for h in histograms.values()], axis=0)
    squares = np.sum([h.squared_weights for h in histograms.values()], axis=0)
    background = np.sum([histograms[name].weights for name in backgrounds], axis=0)
    return expected, np.hypot(np.sqrt(squares), evaluation.background_uncertainty * background)


def _with_edges(spectrum: Spectrum, edges: tuple[float, ...]) -> Spectrum:
    """Return the same contents in other bins."""
    processes = {name: h._replace(edges=edges) for name, h in spectrum.processes.items()}
    data = spectrum.data and spectrum.data._replace(edges=edges)
    return Spectrum(edges, processes, data)


def _draw_processes(axes: Axes, evaluation: ClassificationEvaluation, spectrum: Spectrum) -> None:
    colours = colours_of(evaluation.processes)
    simulated = [process for process in evaluation.processes if process.name in colours]
    ordered = sorted(
        simulated,
        key=lambda p: (p.label == "signal", sum(spectrum.processes[p.name].weights)),
    )
    below = np.zeros(len(spectrum.edges) - 1)
    for process in ordered:
        above = below + np.array(spectrum.processes[process.name].weights)
        axes.stairs(
            above,
            spectrum.edges,
            baseline=below,
            fill=True,
            color=colours[process.name],
            label=process.title,
        )
        below = above


def _draw_band(
    axes: Axes,
    edges: NDArray[np.float64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    name: str | None = None,
) -> None:
    axes.fill_between(
        edges,
        np.append(low, low[-1]),
        np.append(high, high[-1]),
        step="post",
        label=name,
        hatch="////",
        facecolor="none",
        edgecolor="#444444",
        linewidth=0.0,
    )


def _draw_data(axes: Axes, data: Counts, name: str) -> None:
    """Draw bins with data as points with their intervals."""
    centres, counts, errors = _points(data)
    axes.errorbar(
        centres,
        counts,
        yerr=errors,
        color="black",
        marker="o",
        markersize=4,
        linestyle="none",
        label=name,
    )


def _draw_ratio(
    axes: Axes,
    edges: NDArray[np.float64],
    expected: NDArray[np.float64],
    error: NDArray[np.float64],
    data: Counts,
) -> None:
    some = expected > 0
    scale = np.where(some, expected, 1)
    relative = np.where(some, error / scale, 0)
    _draw_band(axes, edges, 1 - relative, 1 + relative)
    axes.axhline(1, color="black", linewidth=0.8)
    centres, counts, errors = _points(data)
    scale = scale[np.array(data.counts) > 0]
    ratio = np.where(some[np.array(data.counts) > 0], counts / scale, np.inf)
    shown = ratio <= HIGHEST_RATIO
    axes.errorbar(
        centres[shown],
        ratio[shown],
        yerr=errors[:, shown] / scale[shown],
        color="black",
        marker="o",
        markersize=4,
        linestyle="none",
    )
    axes.scatter(
        centres[~shown],
        np.full(int(np.sum(~shown)), 0.94 * HIGHEST_RATIO),
        color="black",
        marker="^",
        s=16,
    )
    axes.set_ylim(0, HIGHEST_RATIO)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True, prune="upper"))
    axes.set_ylabel("data / exp.")


def _points(
    data: Counts,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return centre, count and (2, n) lengths of the error bars, of bins with data."""
    edges, counts = np.array(data.edges), np.array(data.counts, dtype=np.float64)
    errors = np.stack([counts - data.lower, np.array(data.upper) - counts])
    some = counts > 0
    return ((edges[:-1] + edges[1:]) / 2)[some], counts[some], errors[:, some]


def _leave_room(
    axes: Axes, highest: NDArray[np.float64], data: Counts | None, *, log: bool
) -> None:
    """Leave room for the legend above what is drawn."""
    top = max(np.max(highest), max(data.upper) if data else 0)
    if log:
        positive = highest[highest > 0]
        bottom = 0.3 * min(np.min(positive), 1.0)
        axes.set_yscale("log")
        axes.set_ylim(bottom, top * max(8.0, (top / bottom) ** 0.45))
    else:
        axes.set_ylim(0, 1.6 * top)


def _width(edges: NDArray[np.float64], unit: str) -> str:
    widths = np.diff(edges)
    if not np.allclose(widths, widths[0]):
        return "bin"
    return f"{widths[0]:.3g} {unit}".strip()
