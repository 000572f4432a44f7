"""All figures of an evaluation."""

from pathlib import Path

from matplotlib.figure import Figure

from rootflow.evaluation.figures.accuracy import QUANTITIES, accuracy, accuracy_by, scores
from rootflow.evaluation.figures.mtt import mtt_by_mtt, mtt_migration, mtt_residuals, with_mtt
from rootflow.evaluation.figures.neutrinos import (
    neutrino_residuals,
    neutrino_resolution,
    with_neutrinos,
)
from rootflow.evaluation.figures.style import Look, save_figure, styled
from rootflow.evaluation.results import UNDER_EVALUATION, Evaluation


def draw(evaluation: Evaluation, directory: Path, style: str) -> list[Path]:
    """Draw what the evaluation has, each figure as PNG and PDF.

    Parameters
    ----------
    evaluation
        As evaluated or as read back from its file.
    directory
        Where the figures go.
    style
        neutral, ATLAS or CMS.

    Returns
    -------
    The files, in the order in which a report shows them.

    Raises
    ------
    UsageError
        There is no such style.
    """
    with styled(style):
        return [
            path
            for name, figure in _figures(evaluation).items()
            for path in save_figure(figure, directory, name)
        ]


def _figures(evaluation: Evaluation) -> dict[str, Figure]:
    look = Look([method.name for method in evaluation.methods])
    figures = {
        "accuracy": accuracy(evaluation),
        **{f"accuracy_by_{name}": accuracy_by(name, evaluation, look) for name in QUANTITIES},
    }
    for method in evaluation.methods:
        if method.scores:
            figures[f"scores_{method.name}"] = scores(method, method.scores, evaluation)
    if with_neutrinos(evaluation):
        figures["neutrino_residuals"] = neutrino_residuals(evaluation, look)
        figures["neutrino_resolution"] = neutrino_resolution(evaluation, look)
    if with_mtt(evaluation):
        figures["mtt_residuals"] = mtt_residuals(evaluation, look)
        figures["mtt_by_mtt"] = mtt_by_mtt(evaluation, look)
    for method, mtt in with_mtt(evaluation):
        if method.neutrinos_of == method.name and method.description == UNDER_EVALUATION:
            figures[f"mtt_migration_{method.name}"] = mtt_migration(
                method, mtt.migration, evaluation
            )
    return figures
