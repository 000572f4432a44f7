"""Stacked expectations with data: of observables and of scores."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.figures.style import label, new_figure
from rootflow.evaluation.results import Counts, Process, Spectrum, data_in_words

# M. A. Petroff, arXiv:2107.02270: warm colours for signals, the others for backgrounds.
SIGNALS = ("#bd1f01", "#ffa90e", "#e76300")
BACKGROUNDS = ("#3f90da", "#92dadd", "#832db6", "#a96b59", "#b9ac70", "#94a4a2")
# Data over expectation beyond it are arrows at the edge.
HIGHEST_RATIO = 3.0
POINTS: dict[str, Any] = {"fmt": "o", "color": "black", "markersize": 4}
HATCHED: dict[str, Any] = {
    "hatch": "////", "facecolor": "none", "edgecolor": "#444444", "linewidth": 0.0,
}  # fmt: skip


class Described(NamedTuple):
    """What all stacks of an evaluation have in common; the uncertainty is relative."""

    processes: Sequence[Process]
    energy_tev: float | None
    background_uncertainty: float = 0.0
    luminosity_fb_inverse: float | None = None

    def colours(self) -> dict[str, str]:
        """Return that of each simulated process, which has the same in all figures."""
        return {
            process.name: colours[number % len(colours)]
            for kind, colours in (("signal", SIGNALS), ("background", BACKGROUNDS))
            for number, process in enumerate(each for each in self.processes if each.kind == kind)
        }


def stack(
    about: Described,
    spectrum: Spectrum,
    *,
    quantity: str,
    unit: str = "",
    log: bool = False,
    equal_bins: bool = False,
    note: str | None = None,
) -> Figure:
    """Draw the expectation of each process on top of each other, data, and their ratio.

    Backgrounds are below, the smallest at the bottom, signals on top of them. Without data there is
    no ratio. With `equal_bins` bins are drawn equally wide, and only their edges say how wide they
    are. `log` is of the vertical axis, `note` the title of the legend.
    """
    edges = np.array(range(len(spectrum.edges)) if equal_bins else spectrum.edges, np.float64)
    data = spectrum.data if spectrum.data is not None and any(spectrum.data.counts) else None
    if data is None:
        figure, (axes,) = new_figure()
    else:
        figure, (axes, ratio) = new_figure(rows=2, heights=(0.9, 0.3))
    expected, low, high = _expectation(about, spectrum)
    _draw_processes(axes, about, spectrum, edges)
    known = ["simulation"]
    if about.background_uncertainty:
        known.append(f"{100 * about.background_uncertainty:.3g} % background")
    if spectrum.up:
        known.append("systematic weights")
    _draw_band(axes, edges, low, high, f"uncertainty: {', '.join(known)}")
    in_words = data_in_words(about.processes)
    if data is not None:
        centres, counted, errors = _points(data, edges)
        axes.errorbar(centres, counted, yerr=errors, label=in_words, **POINTS)
        _draw_ratio(ratio, edges, expected, (low, high), data)
    axes.set_ylabel(f"events / {'bin' if equal_bins else _width(edges, unit)}")
    _leave_room(axes, high, data, log=log)
    bottom = axes if data is None else ratio
    bottom.set(xlabel=f"{quantity} [{unit}]" if unit else quantity, xlim=(edges[0], edges[-1]))
    if equal_bins:
        said = ([f"{edge:.{digits}g}" for edge in spectrum.edges] for digits in range(3, 18))
        told_apart = next(words for words in said if len({*words}) == len(words))
        turned = 30 if max(map(len, told_apart)) > len("0.999") else 0
        bottom.set_xticks(edges, told_apart, fontsize="x-small", rotation=turned)
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
    simulated = data is None or in_words == "pseudo-data"
    what = "Simulation" if simulated else "Data and simulation"
    label(axes, about.energy_tev, about.luminosity_fb_inverse, what=what)
    return figure


def _expectation(about: Described, spectrum: Spectrum) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the sum of all processes in each bin, and the ends of its uncertainty."""
    histograms = spectrum.processes
    backgrounds = {process.name for process in about.processes if process.kind == "background"}
    expected = np.sum([h.weights for h in histograms.values()], axis=0)
    squares = np.sum([h.squared_weights for h in histograms.values()], axis=0)
    background = np.sum([histograms[name].weights for name in backgrounds], axis=0)
    error = np.hypot(np.sqrt(squares), about.background_uncertainty * background)
    down, up = (np.hypot(error, side) if side else error for side in (spectrum.down, spectrum.up))
    return expected, expected - down, expected + up


def _draw_processes(axes: Axes, about: Described, spectrum: Spectrum, edges: FloatArray) -> None:
    """Draw backgrounds below signals, the smallest at the bottom."""
    colours, below = about.colours(), np.zeros(len(edges) - 1)

    def place(process: Process) -> tuple[bool, float]:
        return process.kind == "signal", sum(spectrum.processes[process.name].weights)

    for process in sorted((each for each in about.processes if each.name in colours), key=place):
        above = below + np.array(spectrum.processes[process.name].weights)
        style: dict[str, Any] = {"color": colours[process.name], "label": process.title}
        axes.stairs(above, edges, baseline=below, fill=True, **style)
        below = above


def _draw_band(
    axes: Axes, edges: FloatArray, low: FloatArray, high: FloatArray, name: str | None = None
) -> None:
    ends = np.append(low, low[-1]), np.append(high, high[-1])
    axes.fill_between(edges, *ends, step="post", label=name, **HATCHED)


def _draw_ratio(
    axes: Axes,
    edges: FloatArray,
    expected: FloatArray,
    ends: tuple[FloatArray, FloatArray],
    data: Counts,
) -> None:
    some = expected > 0
    scale = np.where(some, expected, 1)
    low, high = (np.where(some, end / scale, 1) for end in ends)
    _draw_band(axes, edges, low, high)
    axes.axhline(1, color="black", linewidth=0.8)
    centres, counts, errors = _points(data, edges)
    scale = scale[np.array(data.counts) > 0]
    ratio = np.where(some[np.array(data.counts) > 0], counts / scale, np.inf)
    shown = ratio <= HIGHEST_RATIO
    axes.errorbar(centres[shown], ratio[shown], yerr=errors[:, shown] / scale[shown], **POINTS)
    beyond = centres[~shown]
    height = np.full(len(beyond), 0.94 * HIGHEST_RATIO)
    axes.scatter(beyond, height, color="black", marker="^", s=16)
    axes.set_ylim(0, HIGHEST_RATIO)
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=True, prune="upper"))
    axes.set_ylabel("data / exp.")


def _points(data: Counts, edges: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return centre, count and (2, n) lengths of the error bars, of bins with data."""
    counts = np.array(data.counts, dtype=np.float64)
    errors = np.stack([counts - data.lower, np.array(data.upper) - counts])
    some = counts > 0
    return ((edges[:-1] + edges[1:]) / 2)[some], counts[some], errors[:, some]


def _leave_room(axes: Axes, highest: FloatArray, data: Counts | None, *, log: bool) -> None:
    """Leave room for the legend above what is drawn."""
    top = max(np.max(highest), max(data.upper) if data else 0)
    if log:
        positive = highest[highest > 0]
        bottom = 0.3 * min(np.min(positive), 1.0)
        axes.set_yscale("log")
        axes.set_ylim(bottom, top * max(8.0, (top / bottom) ** 0.45))
    else:
        axes.set_ylim(0, 1.6 * top)


def _width(edges: FloatArray, unit: str) -> str:
    widths = np.diff(edges)
    if not np.allclose(widths, widths[0]):
        return "bin"
    return f"{widths[0]:.3g} {unit}".strip()
