"""All figures of an evaluation."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from rootflow.evaluation.figures.style import Look, draw_figures
from rootflow.evaluation.reconstruction.figures import assignment, observables
from rootflow.evaluation.reconstruction.figures.display import display
from rootflow.evaluation.reconstruction.results import Evaluation, MethodResult

# Those that are unfolded most; the matrices of all are in the results.
MIGRATIONS = ("mtt", "top_pt", "c_hel", "c_han")


def draw(evaluation: Evaluation, directory: Path, style: str) -> list[Path]:
    """Draw what an evaluation has, as evaluated or as read back, in the order of a report.

    Other parameters, files and errors are those of `rootflow.evaluation.figures.draw_figures`.
    """
    return draw_figures(_figures(evaluation), directory, style)


def _figures(evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    look = Look([method.name for method in evaluation.methods])
    yield "accuracy", assignment.accuracy(evaluation)
    for quantity in evaluation.methods[0].accuracy_by:
        yield f"accuracy_by_{quantity}", assignment.accuracy_by(quantity, evaluation, look)
    if len(evaluation.methods) > 1:
        yield "complements", assignment.complements(evaluation)
    for method in evaluation.methods:
        if method.name not in ("random", "truth"):
            yield f"confusion_{method.name}", assignment.confusion(method, evaluation)
    for method in evaluation.methods:
        yield from _of_network(method, evaluation)
    for name in evaluation.drawn:
        if any(name in method.observables for method in evaluation.methods):
            yield f"observable_{name}", observables.observable(name, evaluation, look)
    for method in evaluation.methods:
        yield from _of_observables(method, evaluation)
    for number, event in enumerate(evaluation.displays, 1):
        yield f"display_{number}", display(event, evaluation)


def _of_network(method: MethodResult, evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    if method.scores:
        yield f"scores_{method.name}", assignment.scores(method, method.scores, evaluation)
    if method.coverage:
        yield f"coverage_{method.name}", observables.coverage(method, evaluation)
    if method.importance:
        yield f"importance_{method.name}", assignment.importance(method, evaluation)


def _of_observables(method: MethodResult, evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    for name in method.spectra:
        yield f"collisions_{name}_{method.name}", observables.collisions(name, method, evaluation)
    if method.is_evaluated and method.observables:
        for name in MIGRATIONS:
            yield f"migration_{name}_{method.name}", observables.migration(name, method, evaluation)
