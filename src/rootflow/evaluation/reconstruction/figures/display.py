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
            kind = _kind(particle)
            colour = COLOURS[kind]
            axes.plot(
                [0, particle.px], [0, particle.py], color=colour, ls=line, lw=width, alpha=alpha
            )
            marker = "o" if particle in found.generated else "s"
            face = colour if line == "-" else "white"
            if width < 2:
                axes.plot(particle.px, particle.py, marker, color=colour, mfc=face, ms=5)
            if line == "-":
                text = _text(particle)
                axes.annotate(
                    text, (particle.px, particle.py), textcoords="offset points", xytext=(4, 4)
                )
            reach = max(reach, abs(particle.px), abs(particle.py))
    axes.set(xlim=(-1.2 * reach, 1.2 * reach), ylim=(-1.2 * reach, 1.2 * reach))
    axes.set_aspect("equal")
    axes.set(xlabel="$p_x$ [GeV]", ylabel="$p_y$ [GeV]")


def _draw_plane(axes: Axes, found: Display) -> None:
    for particle in found.measured:
        kind, (eta, phi) = _kind(particle), _place(particle)
        if particle.kind.startswith("jet"):
            for turn in (-2 * np.pi, 0, 2 * np.pi):
                centre = (eta, phi + turn)
                axes.add_patch(
                    Circle(centre, JET_RADIUS, color=COLOURS[kind], alpha=0.35, linewidth=0)
                )
        elif kind == "met":
            axes.axhline(phi, color="black", linewidth=3, alpha=0.4)
        else:
            axes.plot(eta, phi, "P", color=COLOURS[kind], markersize=9)
        if kind != "met":
            axes.annotate(_text(particle), (eta, phi), textcoords="offset points", xytext=(6, 6))
    for particles, filled in ((found.generated, True), (found.reconstructed, False)):
        for particle in particles:
            kind, (eta, phi) = _kind(particle), _place(particle)
            axes.plot(
                np.clip(eta, -LARGEST_ETA, LARGEST_ETA),
                phi,
                "^" if kind.startswith("t") else "o",
                color=COLOURS[kind],
                markerfacecolor=COLOURS[kind] if filled else "white",
                markersize=8,
            )
            if filled:
                axes.annotate(
                    SYMBOLS[kind],
                    (np.clip(eta, -LARGEST_ETA, LARGEST_ETA), phi),
                    textcoords="offset points",
                    xytext=(-14, 4),
                )
    axes.set_xlim(-LARGEST_ETA - 0.3, LARGEST_ETA + 0.3)
    axes.set_ylim(-np.pi - JET_RADIUS, np.pi + JET_RADIUS)
    for border in (-np.pi, np.pi):
        axes.axhline(border, color="grey", linestyle=":", linewidth=0.8)
    axes.set_aspect("equal")
    axes.set(xlabel=r"$\eta$", ylabel=r"$\phi$ [rad]")


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
