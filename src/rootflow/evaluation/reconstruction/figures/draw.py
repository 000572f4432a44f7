"""All figures of an evaluation."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from rootflow.evaluation.figures.style import Look, draw_figures
from rootflow.evaluation.reconstruction.figures.accuracy import accuracy, accuracy_by, scores
from rootflow.evaluation.reconstruction.figures.display import display
from rootflow.evaluation.reconstruction.figures.matrices import complements, confusion, migration
from rootflow.evaluation.reconstruction.figures.network import coverage, importance
from rootflow.evaluation.reconstruction.figures.observables import (
    collisions,
    observable,
    with_observable,
)
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.results import UNDER_EVALUATION, Evaluation, MethodResult

# Those that are unfolded most; the matrices of all are in the results.
MIGRATIONS = ("mtt", "top_pt", "c_hel", "c_han")


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
    return draw_figures(_figures(evaluation), directory, style)


def _figures(evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    look = Look([method.name for method in evaluation.methods])
    yield "accuracy", accuracy(evaluation)
    for quantity in evaluation.methods[0].accuracy_by:
        yield f"accuracy_by_{quantity}", accuracy_by(quantity, evaluation, look)
    if len(evaluation.methods) > 1:
        yield "complements", complements(evaluation)
    for method in evaluation.methods:
        if method.name not in ("random", "truth"):
            yield f"confusion_{method.name}", confusion(method, evaluation)
    for method in evaluation.methods:
        yield from _of_network(method, evaluation)
    for name in evaluation.drawn:
        if with_observable(name, evaluation):
            yield f"observable_{name}", observable(OBSERVABLES[name], evaluation, look)
    for method in evaluation.methods:
        yield from _collisions(method, evaluation)
        yield from _migrations(method, evaluation)
    for number, event in enumerate(evaluation.displays, 1):
        yield f"display_{number}", display(event, evaluation)


def _collisions(method: MethodResult, evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    for name in method.spectra:
        figure = collisions(OBSERVABLES[name], method, evaluation)
        yield f"collisions_{name}_{method.name}", figure


def _migrations(method: MethodResult, evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    if method.neutrinos_of == method.name and method.description == UNDER_EVALUATION:
        for name in MIGRATIONS if method.observables else ():
            found = method.observables[name].migration
            figure = migration(OBSERVABLES[name], method, found, evaluation)
            yield f"migration_{name}_{method.name}", figure


def _of_network(method: MethodResult, evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    if method.scores:
        yield f"scores_{method.name}", scores(method, method.scores, evaluation)
    if method.coverage:
        yield f"coverage_{method.name}", coverage(method, evaluation)
    if method.importance:
        yield f"importance_{method.name}", importance(method, evaluation)
