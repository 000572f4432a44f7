"""All figures of an evaluation of classifiers."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from rootflow.evaluation.classification.figures.calibration import calibration
from rootflow.evaluation.classification.figures.importance import importance
from rootflow.evaluation.classification.figures.over_training import over_training
from rootflow.evaluation.classification.figures.roc import roc
from rootflow.evaluation.classification.figures.scan import scan
from rootflow.evaluation.classification.figures.sculpting import sculpting
from rootflow.evaluation.classification.figures.spectra import fit, mass, mass_after_cut, scores
from rootflow.evaluation.classification.results import ClassificationEvaluation
from rootflow.evaluation.figures.style import Look, save_figure, styled


def draw(evaluation: ClassificationEvaluation, directory: Path, style: str) -> list[Path]:
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
            for name, figure in _figures(evaluation)
            for path in save_figure(figure, directory, name)
        ]


def _figures(evaluation: ClassificationEvaluation) -> Iterator[tuple[str, Figure]]:
    look = Look([model.name for model in evaluation.models])
    yield "roc", roc(evaluation, look)
    yield "mass", mass(evaluation)
    for model in evaluation.models:
        yield f"scan_{model.name}", scan(model, evaluation, look)
        yield f"mass_after_cut_{model.name}", mass_after_cut(model, evaluation)
        yield f"scores_{model.name}", scores(model, evaluation)
        yield f"fit_{model.name}", fit(model, evaluation)
    yield "calibration", calibration(evaluation, look)
    for model in evaluation.models:
        if model.over_training is not None:
            yield f"over_training_{model.name}", over_training(model, evaluation)
        yield f"sculpting_{model.name}", sculpting(model, evaluation)
        if model.importance:
            yield f"importance_{model.name}", importance(model, evaluation, look)
