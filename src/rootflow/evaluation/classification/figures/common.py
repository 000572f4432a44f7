"""What the figures of classifiers have in common."""

from matplotlib.axes import Axes

from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.figures.stack import Described, Layer
from rootflow.evaluation.figures.style import label

SIGNAL, BACKGROUND = "#bd1f01", "#3f90da"
# M. A. Petroff, arXiv:2107.02270: warm colours for signals, the others for backgrounds.
SIGNALS = (SIGNAL, "#ffa90e", "#e76300")
BACKGROUNDS = (BACKGROUND, "#92dadd", "#832db6", "#a96b59", "#b9ac70", "#94a4a2")


def described(evaluation: ClassificationEvaluation) -> Described:
    """Return what the stacks have in common; a process has the same colour in all."""
    layers = [
        Layer(process.name, process.title, colours[number % len(colours)], kind == "signal")
        for kind, colours in (("signal", SIGNALS), ("background", BACKGROUNDS))
        for number, process in enumerate(p for p in evaluation.processes if p.kind == kind)
    ]
    order = [process.name for process in evaluation.processes]
    return Described(
        layers=sorted(layers, key=lambda layer: order.index(layer.name)),
        data=evaluation.data,
        background_uncertainty=evaluation.background_uncertainty,
        energy_tev=evaluation.energy_tev,
        luminosity_fb_inverse=evaluation.luminosity_fb_inverse,
    )


def label_simulation(axes: Axes, evaluation: ClassificationEvaluation) -> None:
    """Say above a panel that it is of simulation; shapes do not depend on the luminosity."""
    label(axes, evaluation.energy_tev)


def counted(evaluation: ClassificationEvaluation) -> list[str]:
    """Return one line that says which events count in significances, where not all do."""
    observable, window = evaluation.observable, evaluation.significance_window
    if observable is None or window is None:
        return []
    return [f"events with {observable.inequality(window)}"]
