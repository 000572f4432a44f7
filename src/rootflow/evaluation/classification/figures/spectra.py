"""The figures of m(4l) and of the scores, expectations and data."""

from matplotlib.figure import Figure

from rootflow.evaluation.classification.figures.common import counted
from rootflow.evaluation.classification.figures.stack import stack
from rootflow.evaluation.classification.results import (
    ClassificationEvaluation,
    FitSignificance,
    ModelResult,
    Spectrum,
)

MASS = r"$m(4\ell)$"


def mass(evaluation: ClassificationEvaluation) -> Figure:
    """Draw m(4l) before any cut on a score."""
    return _mass(evaluation, evaluation.mass, "before any cut")


def mass_after_cut(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw m(4l) after the best cut on the model's score."""
    note = rf"{model.name} $\geq$ {model.best_cut.threshold:.3g}"
    return _mass(evaluation, model.mass, note)


def scores(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw the score of each process."""
    return stack(evaluation, model.scores, quantity=f"score of {model.name}", log=True)


def fit(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw what the fit of the signal strength is given."""
    found = model.fit
    lines = [
        *counted(evaluation),
        _line("statistics only", found.statistics_only),
        _line("with systematics", found.with_systematics),
    ]
    return stack(
        evaluation,
        found.scores,
        quantity=f"score of {model.name}",
        log=True,
        equal_bins=True,
        note="\n".join(lines),
    )


def _mass(evaluation: ClassificationEvaluation, spectrum: Spectrum, note: str) -> Figure:
    """Draw m(4l), and lines around the events that count in significances, where not all do."""
    figure = stack(evaluation, spectrum, quantity=MASS, unit="GeV", note=note)
    for edge in evaluation.significance_window_gev or ():
        # The legend is above.
        figure.axes[0].axvline(edge, ymax=0.6, color="grey", linestyle=":", linewidth=1.0)
    return figure


def _line(name: str, found: FitSignificance) -> str:
    observed = "" if found.observed is None else f", observed {found.observed:.2f}"
    return f"{name}: expected {found.expected:.2f}{observed} s.d."
