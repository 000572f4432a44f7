"""All figures of an evaluation of classifiers."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.classification.figures import performance, spectra
from rootflow.evaluation.classification.figures.performance import over_training
from rootflow.evaluation.classification.figures.spectra import sculpting
from rootflow.evaluation.classification.results import ModelResult
from rootflow.evaluation.figures.style import Look, draw_figures


def draw(evaluation: ClassificationEvaluation, directory: Path, style: str) -> list[Path]:
    """Draw what an evaluation has, as evaluated or as read back, in the order of a report.

    Other parameters, files and errors are those of `draw_figures`.
    """
    return draw_figures(_figures(evaluation), directory, style)


def _figures(evaluation: ClassificationEvaluation) -> Iterator[tuple[str, Figure]]:
    look = Look([model.name for model in evaluation.models])
    drawn = evaluation.observable
    yield "roc", performance.roc(evaluation, look)
    if drawn is not None and evaluation.spectrum is not None:
        yield "observable", spectra.observable(evaluation, drawn, evaluation.spectrum)
    for model in evaluation.models:
        yield f"scan_{model.name}", performance.scan(model, evaluation, look)
        if drawn is not None and model.after_cut is not None:
            figure = spectra.observable(evaluation, drawn, model.after_cut, model)
            yield f"observable_after_cut_{model.name}", figure
        yield f"scores_{model.name}", spectra.scores(model, evaluation)
        yield f"fit_{model.name}", spectra.fit(model, evaluation)
        yield from _of_classes(model, evaluation)
    yield "calibration", performance.calibration(evaluation, look)
    for model in evaluation.models:
        if model.over_training is not None:
            yield f"over_training_{model.name}", over_training(model, evaluation)
        if drawn is not None and model.sculpting is not None:
            figure = sculpting(model, model.sculpting, drawn, evaluation)
            yield f"sculpting_{model.name}", figure
        if model.importance:
            yield f"importance_{model.name}", performance.importance(model, evaluation, look)


def _of_classes(
    model: ModelResult, evaluation: ClassificationEvaluation
) -> Iterator[tuple[str, Figure]]:
    if model.classes is not None:
        yield f"confusion_{model.name}", performance.confusion(model, model.classes, evaluation)
        for each in model.classes.one_against_rest:
            figure = spectra.scores(model, evaluation, each)
            yield f"probability_{each.name}_{model.name}", figure
