"""Event displays: one event in the transverse plane and in eta and phi."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle

from rootflow.evaluation.figures.style import label, new_figure
from rootflow.evaluation.reconstruction.results import Display, Evaluation, Particle
from rootflow.physics.kinematics import pseudorapidity

COLOURS = {
    "b": "#bd1f01", "bbar": "#3f90da", "other": "#94a4a2",
    "l+": "#e76300", "l-": "#832db6", "met": "black",
    "nu": "#bd1f01", "nubar": "#3f90da", "t": "#bd1f01", "tbar": "#3f90da",
}  # fmt: skip
SYMBOLS = {
    "l+": r"$\ell^+$", "l-": r"$\ell^-$", "met": r"$E_\mathrm{T}^\mathrm{miss}$",
    "nu": r"$\nu$", "nubar": r"$\bar{\nu}$", "t": "$t$", "tbar": r"$\bar{t}$",
    "b": "$b$", "bbar": r"$\bar{b}$", "other": "jet",
}  # fmt: skip
# Radius of a jet, anti-kt 0.4, and how thick an arrow of a jet, lepton or top is.
JET_RADIUS, LARGEST_ETA = 0.4, 4.5


def display(found: Display, evaluation: Evaluation) -> Figure:
    """Draw an event: full what was generated, open what was reconstructed."""
    figure, (transverse, plane) = new_figure(columns=2)
    _draw_transverse(transverse, found)
    _draw_plane(plane, found)
    handles = [
        Line2D([], [], color="grey", linewidth=3, label="measured"),
        Line2D([], [], color="grey", linestyle="-", label="generated"),
        Line2D([], [], color="grey", linestyle="--", label=f"reconstructed by {found.method}"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, fontsize="small")
    label(transverse, evaluation.energy_tev)
    event = f"{found.event} of file {found.file_index}, score {found.score:.3g}"
    plane.set_title(found.reason, loc="left", fontsize="small")
    plane.set_title(event, loc="right", fontsize="small")
    return figure


def _draw_transverse(axes: Axes, found: Display) -> None:
    reach = 1.0
    for particles, line, width, alpha in (
        (found.measured, "-", 3.0, 0.55),
        (found.generated, "-", 1.2, 1.0),
        (found.reconstructed, "--", 1.2, 1.0),
    ):
        for particle in particles:
            x, y, colour = particle.px, particle.py, COLOURS[_kind(particle)]
            axes.plot([0, x], [0, y], color=colour, ls=line, lw=width, alpha=alpha)
            if width < 2:
                marker = "o" if particle in found.generated else "s"
                face = colour if line == "-" else "white"
                axes.plot(x, y, marker, color=colour, mfc=face, ms=5)
            if line == "-":
                _write(axes, _text(particle), (x, y), (4, 4))
            reach = max(reach, abs(x), abs(y))
    axes.set(xlim=(-1.2 * reach, 1.2 * reach), ylim=(-1.2 * reach, 1.2 * reach))
    axes.set_aspect("equal")
    axes.set(xlabel="$p_x$ [GeV]", ylabel="$p_y$ [GeV]")


def _draw_plane(axes: Axes, found: Display) -> None:
    for particle in found.measured:
        kind, (eta, phi) = _kind(particle), _place(particle)
        if particle.kind.startswith("jet"):
            for turn in (-2 * np.pi, 0, 2 * np.pi):
                jet = Circle((eta, phi + turn), JET_RADIUS, color=COLOURS[kind], alpha=0.35, lw=0)
                axes.add_patch(jet)
        elif kind == "met":
            axes.axhline(phi, color="black", linewidth=3, alpha=0.4)
        else:
            axes.plot(eta, phi, "P", color=COLOURS[kind], markersize=9)
        if kind != "met":
            _write(axes, _text(particle), (eta, phi), (6, 6))
    for particles, filled in ((found.generated, True), (found.reconstructed, False)):
        for particle in particles:
            kind, (eta, phi) = _kind(particle), _place(particle)
            shown = np.clip(eta, -LARGEST_ETA, LARGEST_ETA)
            marker, colour = "^" if kind.startswith("t") else "o", COLOURS[kind]
            axes.plot(shown, phi, marker, color=colour, mfc=colour if filled else "white", ms=8)
            if filled:
                _write(axes, SYMBOLS[kind], (shown, phi), (-14, 4))
    axes.set_xlim(-LARGEST_ETA - 0.3, LARGEST_ETA + 0.3)
    axes.set_ylim(-np.pi - JET_RADIUS, np.pi + JET_RADIUS)
    for border in (-np.pi, np.pi):
        axes.axhline(border, color="grey", linestyle=":", linewidth=0.8)
    axes.set_aspect("equal")
    axes.set(xlabel=r"$\eta$", ylabel=r"$\phi$ [rad]")


def _write(axes: Axes, text: str, place: tuple[float, float], points: tuple[int, int]) -> None:
    """Write beside a place, so many points to the right and above."""
    axes.annotate(text, place, textcoords="offset points", xytext=points)


def _place(particle: Particle) -> tuple[float, float]:
    eta = float(pseudorapidity([particle.px, particle.py, particle.pz]))
    return eta, float(np.arctan2(particle.py, particle.px))


def _kind(particle: Particle) -> str:
    """Return what it is; of a jet, what the method takes it for."""
    return particle.kind.split(":")[-1]


def _text(particle: Particle) -> str:
    """Return its symbol; of a jet what it is truly, and then what it is taken for."""
    kind, *roles = particle.kind.split(":")
    if kind != "jet":
        return SYMBOLS[kind]
    true, taken = roles
    return SYMBOLS[taken] if true == taken else f"{SYMBOLS[taken]} (true: {SYMBOLS[true]})"
