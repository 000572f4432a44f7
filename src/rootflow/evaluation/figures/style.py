"""What all figures have in common: style, labels, colours, saving."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import matplotlib.style
import mplhep
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from rootflow.errors import UsageError
from rootflow.evaluation.results import Binned, Histogram
from rootflow.files import whole_file
from rootflow.progress import progress

# M. A. Petroff, "Accessible color sequences for data visualization", arXiv:2107.02270,
# the sequence of ten without both greys, of which one is kept for random.
COLOURS = (
    "#bd1f01", "#3f90da", "#ffa90e", "#832db6", "#a96b59", "#e76300", "#92dadd", "#b9ac70",
)  # fmt: skip
Line = str | tuple[int, tuple[int, ...]]
# Neither length has a factor in common with that of the colours: the same colour comes with
# another marker and another line, up to 56 methods.
MARKERS = "osD^vPX<>*p"
LINES: tuple[Line, ...] = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
NEUTRAL = {
    "axes.labelsize": "large",
    "axes.prop_cycle": cycler(color=COLOURS),
    "figure.figsize": (6.4, 4.8),
    "font.family": "sans-serif",
    "font.size": 12,
    "legend.frameon": False,
    "xaxis.labellocation": "right",
    "xtick.direction": "in",
    "xtick.minor.visible": True,
    "xtick.top": True,
    "yaxis.labellocation": "top",
    "ytick.direction": "in",
    "ytick.minor.visible": True,
    "ytick.right": True,
}
CENTRED: dict[str, Any] = {"ha": "center", "va": "center"}
STYLES = {"neutral": NEUTRAL, "ATLAS": mplhep.style.ATLAS, "CMS": mplhep.style.CMS}


class Stroke(NamedTuple):
    """How a method is drawn."""

    colour: str
    marker: str
    line: Line


FIXED = {"random": Stroke("#94a4a2", "h", ":"), "truth": Stroke("black", "d", "-")}


class Look(dict[str, Stroke]):
    """Colour, marker and line of each method by its name, the same in all figures."""

    def __init__(self, names: Sequence[str]) -> None:
        strokes = map(Stroke, cycle(COLOURS), cycle(MARKERS), cycle(LINES))
        others = (name for name in names if name not in FIXED)
        super().__init__({**FIXED, **dict(zip(others, strokes, strict=False))})


@contextmanager
def styled(style: str) -> Iterator[None]:
    """Draw what follows in a style, one of `STYLES`."""
    if style not in STYLES:
        raise UsageError(f"there is no style {style}; there are {', '.join(STYLES)}")
    with matplotlib.style.context(STYLES[style], after_reset=True):
        yield


def new_figure(
    columns: int = 1, rows: int = 1, heights: Sequence[float] | None = None
) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels; `heights` are of the rows, in units of its usual height."""
    width, height = mpl.rcParams["figure.figsize"]
    # Panels below each other share an axis and can be lower.
    tall = heights or ((1.0,) if rows == 1 else (0.75,) * rows)
    figure = Figure(figsize=(width * columns, height * sum(tall)), layout="constrained")
    axes = figure.subplots(
        rows,
        columns,
        squeeze=False,
        sharex="col" if rows > 1 and columns == 1 else "none",
        gridspec_kw={"height_ratios": tall},
    )
    return figure, list(axes.flat)


def label(
    axes: Axes,
    energy_tev: float | None,
    luminosity_fb_inverse: float | None = None,
    *,
    what: str = "Simulation",
) -> None:
    """Say above the panel what is shown, at which energy and luminosity, where they are known."""
    axes.set_title(what, loc="left", fontstyle="italic", fontsize="medium")
    known = []
    if energy_tev is not None:
        known.append(f"√s = {energy_tev:g} TeV")
    if luminosity_fb_inverse is not None:
        known.append(rf"{luminosity_fb_inverse:.4g} fb$^{{-1}}$")
    axes.set_title(", ".join(known), loc="right", fontsize="medium")


def draw_binned(axes: Axes, results: Sequence[tuple[str, Binned]], look: Look) -> None:
    """Draw estimates with their errors in bins, one colour per model, by its name, side by side."""
    for number, (name, binned) in enumerate(results):
        edges, values, errors = map(numbers, binned)
        shift = (number + 1) / (len(results) + 1) - 0.5
        places = (edges[:-1] + edges[1:]) / 2 + 0.5 * shift * np.diff(edges)
        colour, marker, _ = look[name]
        axes.errorbar(places, values, yerr=errors, color=colour, fmt=marker, capsize=2, label=name)
        axes.hlines(values, edges[:-1], edges[1:], color=colour, alpha=0.4)
    axes.set_xlim(results[0][1].edges[0], results[0][1].edges[-1])


def draw_density(
    axes: Axes,
    histogram: Histogram,
    *,
    colour: str,
    name: str,
    line: object = "-",
    filled: bool = False,
    marker: str = "",
) -> None:
    """Draw a histogram divided by all its events and the bin width, with a band of its error.

    One without events has no density and is left out. A filled one has no band, with a marker it
    is points with error bars.
    """
    if histogram.total <= 0:
        return
    values, edges = density(histogram), np.array(histogram.edges)
    errors = np.sqrt(histogram.squared_weights) / histogram.total / np.diff(edges)
    if marker:
        points: dict[str, Any] = {"fmt": marker, "markersize": 4, "color": colour}
        axes.errorbar((edges[:-1] + edges[1:]) / 2, values, yerr=errors, label=name, **points)
    elif filled:
        axes.stairs(values, edges, color=colour, fill=True, alpha=0.35, label=name)
    else:
        axes.stairs(values, edges, color=colour, linestyle=line, label=name, linewidth=1.5)
        high, low = values + errors, values - errors
        axes.stairs(high, edges, baseline=low, color=colour, fill=True, alpha=0.2)


def draw_percent(
    axes: Axes,
    shares: NDArray[np.float64],
    *,
    lowest: int = 0,
    digits: int = 0,
    of: str = "the true bin",
) -> None:
    """Draw a matrix (up, across) in percent with its numbers; cells begin at 0 and `lowest`."""
    percent = 100 * shares
    rows, columns = percent.shape
    highest = 100 if of.startswith("the true") else max(1.0, float(np.nanmax(percent, initial=0)))
    across, up = np.arange(columns + 1), lowest + np.arange(rows + 1)
    mesh = axes.pcolormesh(across, up, percent, cmap="Blues", vmin=0, vmax=highest)
    for (row, column), share in np.ndenumerate(percent):
        if np.isfinite(share):
            colour = "white" if share > 0.6 * highest else "black"
            place = (column + 0.5, lowest + row + 0.5)
            axes.text(*place, f"{share:.{digits}f}", color=colour, fontsize="small", **CENTRED)
    axes.figure.colorbar(mesh, ax=axes, label=f"share of {of} [%]")


def density(histogram: Histogram) -> NDArray[np.float64]:
    """Return a histogram divided by all its events and the bin width."""
    return np.asarray(histogram.weights / (histogram.total * np.diff(histogram.edges)))


def numbers(values: Sequence[float | None]) -> NDArray[np.float64]:
    """Return values as an array, NaN where there is none."""
    return np.array(values, dtype=np.float64)


def draw_figures(figures: Iterable[tuple[str, Figure]], directory: Path, style: str) -> list[Path]:
    """Draw figures by name, each as PNG and PDF.

    Figures are made while the style (neutral, ATLAS or CMS; another is a UsageError) is set; the
    files are returned in their order.
    """
    paths = []
    with styled(style), progress("draw", None, "figures") as advance:
        for name, figure in figures:
            paths += save_figure(figure, directory, name)
            advance(1, name)
    return paths


def save_figure(figure: Figure, directory: Path, name: str) -> list[Path]:
    """Write NAME.png and NAME.pdf."""
    paths = [directory / f"{name}.png", directory / f"{name}.pdf"]
    # Laid out once for both, which is what takes the time.
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine(None)
    for path in paths:
        with whole_file(path) as partial:
            figure.savefig(partial, dpi=120)
    return paths
