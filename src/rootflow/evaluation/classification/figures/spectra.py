"""The figures of the observable and of the scores, expectations and data."""

from matplotlib.figure import Figure

from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.classification.figures.common import counted, described
from rootflow.evaluation.classification.observable import EventObservable
from rootflow.evaluation.classification.results import FitSignificance, ModelResult, OneAgainstRest
from rootflow.evaluation.figures.stack import stack
from rootflow.evaluation.results import Spectrum


def observable(
    evaluation: ClassificationEvaluation,
    drawn: EventObservable,
    spectrum: Spectrum,
    model: ModelResult | None = None,
) -> Figure:
    """Draw the observable before any cut, or after the best cut on a model's score.

    Lines are around the events that count in significances, where not all do.
    """
    note = "before any cut"
    if model is not None:
        note = rf"{model.name} $\geq$ {model.best_cut.threshold:.3g}"
    figure = stack(
        described(evaluation), spectrum, quantity=drawn.title, unit=drawn.unit, note=note
    )
    for edge in evaluation.significance_window or ():
        # The legend is above.
        figure.axes[0].axvline(edge, ymax=0.6, color="grey", linestyle=":", linewidth=1.0)
    return figure


def scores(
    model: ModelResult, evaluation: ClassificationEvaluation, one: OneAgainstRest | None = None
) -> Figure:
    """Draw the score of each process, or the probability of one of several classes."""
    spectrum = model.scores if one is None else one.scores
    what = "score" if one is None else f"probability of {one.name}"
    return stack(described(evaluation), spectrum, quantity=f"{what} of {model.name}", log=True)


def fit(model: ModelResult, evaluation: ClassificationEvaluation) -> Figure:
    """Draw what the fit of the signal strength is given."""
    found = model.fit
    lines = [
        *counted(evaluation),
        _line("statistics only", found.statistics_only),
        _line("with systematics", found.with_systematics),
    ]
    return stack(
        described(evaluation),
        found.scores,
        quantity=f"score of {model.name}",
        log=True,
        equal_bins=True,
        note="\n".join(lines),
    )


def _line(name: str, found: FitSignificance) -> str:
    observed = "" if found.observed is None else f", observed {found.observed:.2f}"
    return f"{name}: expected {found.expected:.2f}{observed} s.d."
