"""All figures of an evaluation, and what each shows."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from rootflow.evaluation.figures.style import Look, draw_figures
from rootflow.evaluation.folder import Captions
from rootflow.evaluation.reconstruction.figures import methods
from rootflow.evaluation.reconstruction.figures.display import display
from rootflow.evaluation.reconstruction.results import Evaluation, MethodResult

_MATCHED = "Events with both b jets matched; bars are bootstrap errors."
CAPTIONS = {
    "history": ("Training", "Loss and accuracy of each epoch."),
    "accuracy": (
        "Accuracy of the assignment",
        f"How often each method gives the right jets to b and bbar. {_MATCHED}",
    ),
    "accuracy_by": (
        "Accuracy by",
        f"Share of events with both b jets right, and relative to the reference. {_MATCHED} "
        "Horizontal lines are bins, points in them are set apart to be seen. Errors of the "
        "quotient are those of the same replicas.",
    ),
    "complements": (
        "Methods that complement each other",
        "Share of matched events that the method of the column gets right and that of the row "
        "wrong: what a combination of both could gain.",
    ),
    "confusion": (
        "Confusion of jets",
        "Which jet is chosen for b and for bbar, in percent of the matched events with the true "
        "jet in that place; jets fall in pT.",
    ),
    "scores": (
        "Score of the model",
        "Left: distribution of the model's probability for its own assignment, bands are "
        "statistical errors. Right: how often assignments of that score are right; a calibrated "
        "probability lies on the diagonal.",
    ),
    "coverage": (
        "Coverage of the posterior",
        "How often central intervals of the posterior hold the truth, less their level: at zero "
        "they are as wide as they say. m(tt̄) is of matched events.",
    ),
    "importance": (
        "Importance of inputs",
        "What the accuracy loses where a feature, or a whole collection, is permuted among "
        "events. An input that others tell as well has none by itself.",
    ),
    "observable": (
        "Observable",
        "Distribution of all solved events beside that generated; residuals, and bias and "
        "resolution in bins of the truth: of solved events, for what is made with top quarks of "
        "solved events with both b jets matched. What does not depend on which lepton goes with "
        "which of the two jets is the same for methods that choose the same two with the same "
        "neutrinos.",
    ),
    "collisions": (
        "Collisions",
        "Solved events in data, with central 68.27 % Poisson intervals, over what is expected of "
        "each sample; all of the folds that are held out. Hatched: simulated statistics. No "
        "accuracy is of collisions.",
    ),
    "migration": (
        "Migration",
        "Left: where solved events of each bin of the truth are reconstructed, in percent of that "
        "bin; the lowest and the highest row are all below and above the bins. Right: purity, "
        "stability and efficiency of the bins.",
    ),
    "display": (
        "Event display",
        "Left: the transverse plane; right: eta and phi, where arrows become points. Jets have "
        "the colour of what the method takes them for, and say what they are where that is wrong; "
        "full points are generated, open ones reconstructed, triangles are top quarks.",
    ),
}


def captions_of(evaluation: Evaluation) -> Captions:
    """Return title and caption of each figure, of what the evaluation has."""
    if not any(method.name == "truth" for method in evaluation.methods):
        return CAPTIONS
    title, caption = CAPTIONS["observable"]
    line = "The line of truth shows what jets and leptons alone cost."
    return CAPTIONS | {"observable": (title, f"{caption} {line}")}


# Those that are unfolded most; the matrices of all are in the results.
MIGRATIONS = ("mtt", "top_pt", "c_hel", "c_han")


def draw(evaluation: Evaluation, directory: Path, style: str) -> list[Path]:
    """Draw what an evaluation has, as evaluated or as read back, in the order of a report.

    Other parameters, files and errors are those of `rootflow.evaluation.figures.draw_figures`.
    """
    return draw_figures(_figures(evaluation), directory, style)


def _figures(evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    look = Look([method.name for method in evaluation.methods])
    yield "accuracy", methods.accuracy(evaluation)
    for quantity in evaluation.methods[0].accuracy_by:
        yield f"accuracy_by_{quantity}", methods.accuracy_by(quantity, evaluation, look)
    if len(evaluation.methods) > 1:
        yield "complements", methods.complements(evaluation)
    for method in evaluation.methods:
        if method.name not in ("random", "truth"):
            yield f"confusion_{method.name}", methods.confusion(method, evaluation)
    for method in evaluation.methods:
        yield from _of_network(method, evaluation)
    for name in evaluation.drawn:
        if any(name in method.observables for method in evaluation.methods):
            yield f"observable_{name}", methods.observable(name, evaluation, look)
    for method in evaluation.methods:
        yield from _of_observables(method, evaluation)
    for number, event in enumerate(evaluation.displays, 1):
        yield f"display_{number}", display(event, evaluation)


def _of_network(method: MethodResult, evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    if method.scores:
        yield f"scores_{method.name}", methods.scores(method, method.scores, evaluation)
    if method.coverage:
        yield f"coverage_{method.name}", methods.coverage(method, evaluation)
    if method.importance:
        yield f"importance_{method.name}", methods.importance(method, evaluation)


def _of_observables(method: MethodResult, evaluation: Evaluation) -> Iterator[tuple[str, Figure]]:
    for name in method.spectra:
        yield f"collisions_{name}_{method.name}", methods.collisions(name, method, evaluation)
    if method.is_evaluated and method.observables:
        for name in MIGRATIONS:
            yield f"migration_{name}_{method.name}", methods.migration(name, method, evaluation)
