"""The figures of m(4l) and of the scores, expectations and data."""

from matplotlib.figure import Figure

from rootflow.evaluation.classification.figures.stack import stack
from rootflow.evaluation.classification.results import (
    ClassificationEvaluation,
    FitSignificance,
    ModelResult,
)

MASS = r"$m(4\ell)$"


def mass(evaluation: ClassificationEvaluation) -> Figure:
    """Draw m(4l) before any cut on a score."""
    return stack(evaluation, evaluation.mass, quantity=MASS, unit="GeV", note="before any cut")


def mass_after_cut(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw m(4l) after the best cut on the model's score."""
    note = f"{model.name} ≥ {model.best_cut.threshold:.3g}"
    return stack(evaluation, model.mass, quantity=MASS, unit="GeV", note=note)


def scores(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw the score of each process."""
    return stack(evaluation, model.scores, quantity=f"score of {model.name}", log=True)


def fit(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw what the fit of the signal strength is given."""
    found = model.fit
    lines = [
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


def _line(name: str, found: FitSignificance) -> str:
    observed = "" if found.observed is None else f", observed {found.observed:.2f}"
    return f"{name}: expected {found.expected:.2f}{observed} s.d."
