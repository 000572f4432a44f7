"""All figures of an evaluation of classifiers, and what each shows."""

from collections.abc import Iterator
from pathlib import Path

from matplotlib.figure import Figure

from rootflow.evaluation.classification import figures
from rootflow.evaluation.classification.evaluation import ClassificationEvaluation
from rootflow.evaluation.figures.stack import stack
from rootflow.evaluation.figures.style import Look, draw_figures
from rootflow.evaluation.folder import Captions

# What the observable is called in captions, until it is known.
OBSERVABLE = "OBSERVABLE"
_STACK = (
    "Stacked expectation of each process; hatched: simulated statistics, the background's "
    "uncertainty and systematic weights, where there are any. Points, where there are any, are "
    "data with central 68.27 % Poisson intervals, in bins that have any; arrows are ratios beyond "
    "the panel."
)
_WINDOW = "Only events between dotted lines, where there are any, count in significances."
CAPTIONS = {
    "roc": (
        "ROC curves",
        "Background rejection at each signal efficiency, both weighted, of unseen events; right: "
        "of those that count in significances, where not all do. Higher is better, a curve on the "
        "dotted line has learnt nothing. Bands are bootstrap errors.",
    ),
    "observable": (
        f"{OBSERVABLE} before any cut",
        f"{_STACK} {_WINDOW} Bad: data off the expectation where all processes are simulated.",
    ),
    "observable_after_cut": (
        f"{OBSERVABLE} after the best cut",
        f"{_STACK} {_WINDOW} Bad: background that now peaks under the signal, for the cut has "
        "then selected by it.",
    ),
    "scan": (
        "Significance of each cut",
        "Expected Asimov significance with the background's uncertainty, and its bootstrap error "
        "as a band; dotted: the best cut. It starts at the first threshold that cuts, and ends "
        "where too few simulated background events are left. Bad: a best cut on a spike or at "
        "that end.",
    ),
    "scores": (
        "Score of each process",
        f"{_STACK} Bad: data off the expectation at low scores, where there is hardly signal.",
    ),
    "fit": (
        "Input of the fit",
        f"{_STACK} The signal strength is fitted in these bins, which hold enough background. "
        "Bad: a bin with signal whose uncertainty is that of few simulated events.",
    ),
    "calibration": (
        "Calibration",
        "Share of signal among events of each score, were both classes equally frequent: a score "
        "that is a probability lies on the diagonal, above it the model is too careful of signal. "
        "Below: how often each score is given. Bars are bootstrap errors.",
    ),
    "over_training": (
        "Scores in training and unseen",
        "Scores of one half of the events by models that have trained on them (filled), and of "
        "the other half by models that have not (points), with tests that both are alike; right: "
        "of events that count in significances, where not all do. The AUC is of all events by both "
        "kinds of models, and p of those in training being ranked no better. Bad: small p-values, "
        "unseen signal lower and unseen background higher than in training.",
    ),
    "sculpting": (
        f"Sculpting of {OBSERVABLE}",
        f"Left: {OBSERVABLE} of background, normalised in the figure, in bins of the score with "
        "the same background, from the lowest scores on. Right: how far each is from all scores, "
        "and what statistics alone would give (grey). Bad: points above the grey band, for a cut "
        "on the score then moulds background into the shape of signal.",
    ),
    "importance": (
        "Permutation importance",
        "AUC that is lost when an input is permuted among events; bars are bootstrap errors. "
        "Inputs that tell the same share their importance, and may all look small.",
    ),
    "confusion": (
        "Confusion of classes",
        "Where the highest probability is for events of each class, in percent of its expected "
        "events, and the AUC of its own probability against all other classes. Bad: a column "
        "whose largest number is off the diagonal.",
    ),
    "probability": (
        "Probability of a class",
        f"{_STACK} Bad: data off the expectation where there is little of the class.",
    ),
}


def captions_of(evaluation: ClassificationEvaluation) -> Captions:
    """Return title and caption of each figure, with the observable by its name."""
    called = evaluation.observable.in_words if evaluation.observable else ""
    return {
        name: (title.replace(OBSERVABLE, called), caption.replace(OBSERVABLE, called))
        for name, (title, caption) in CAPTIONS.items()
    }


def draw(evaluation: ClassificationEvaluation, directory: Path, style: str) -> list[Path]:
    """Draw what an evaluation has, as evaluated or as read back, in the order of a report.

    Other parameters, files and errors are those of `draw_figures`.
    """
    return draw_figures(_figures(evaluation), directory, style)


def _figures(evaluation: ClassificationEvaluation) -> Iterator[tuple[str, Figure]]:
    look = Look([model.name for model in evaluation.models])
    drawn, about = evaluation.observable, figures.described(evaluation)
    yield "roc", figures.roc(evaluation, look)
    if drawn is not None and evaluation.spectrum is not None:
        yield "observable", figures.observable(evaluation, drawn, evaluation.spectrum)
    for model in evaluation.models:
        yield f"scan_{model.name}", figures.scan(model, evaluation, look)
        if drawn is not None and model.after_cut is not None:
            figure = figures.observable(evaluation, drawn, model.after_cut, model)
            yield f"observable_after_cut_{model.name}", figure
        quantity = f"score of {model.name}"
        yield f"scores_{model.name}", stack(about, model.scores, quantity=quantity, log=True)
        yield f"fit_{model.name}", figures.fit(model, evaluation)
        if model.classes is not None:
            yield f"confusion_{model.name}", figures.confusion(model, model.classes, evaluation)
            for each in model.classes.one_against_rest:
                quantity = f"probability of {each.name} of {model.name}"
                figure = stack(about, each.scores, quantity=quantity, log=True)
                yield f"probability_{each.name}_{model.name}", figure
    yield "calibration", figures.calibration(evaluation, look)
    for model in evaluation.models:
        if model.over_training is not None:
            yield f"over_training_{model.name}", figures.over_training(model, evaluation)
        if drawn is not None and model.sculpting is not None:
            figure = figures.sculpting(model, model.sculpting, drawn, evaluation)
            yield f"sculpting_{model.name}", figure
        if model.importance:
            yield f"importance_{model.name}", figures.importance(model, evaluation, look)
