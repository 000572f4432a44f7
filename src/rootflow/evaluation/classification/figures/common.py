"""What the figures of classifiers have in common."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from rootflow.evaluation.classification.results import ClassificationEvaluation, Process
from rootflow.evaluation.figures.style import label

SIGNAL, BACKGROUND = "#bd1f01", "#3f90da"
# M. A. Petroff, arXiv:2107.02270: warm colours for signals, the others for backgrounds.
SIGNALS = (SIGNAL, "#ffa90e", "#e76300")
BACKGROUNDS = (BACKGROUND, "#92dadd", "#832db6", "#a96b59", "#b9ac70", "#94a4a2")


def colours_of(processes: Sequence[Process]) -> dict[str, str]:
    """Return the colour of each simulated process, the same in all figures."""
    free = {"signal": SIGNALS, "background": BACKGROUNDS}
    return {
        process.name: sequence[number % len(sequence)]
        for kind, sequence in free.items()
        for number, process in enumerate(p for p in processes if p.label == kind)
    }


def label_simulation(axes: Axes, evaluation: ClassificationEvaluation) -> None:
    """Say above a panel that it is of simulation; shapes do not depend on the luminosity."""
    label(axes, evaluation.energy_tev)


def counted(evaluation: ClassificationEvaluation) -> list[str]:
    """Return one line that says which events count in significances, where not all do."""
    if evaluation.significance_window_gev is None:
        return []
    low, high = evaluation.significance_window_gev
    return [rf"events with ${low:g} \leq m(4\ell) \leq {high:g}$ GeV"]
