"""From events and models to an evaluation."""

from collections.abc import Sequence

from rootflow.config import ClassificationEvaluationConfig, InputsConfig
from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.evaluation.bootstrap import Replicated, bootstrap
from rootflow.evaluation.classification.asking import scored_by
from rootflow.evaluation.classification.evaluation import ClassificationEvaluation, HeldOut
from rootflow.evaluation.classification.importance import importances
from rootflow.evaluation.classification.labelled import CLASSES, Labelled
from rootflow.evaluation.classification.model import ModelQuestions, observable_edges
from rootflow.evaluation.classification.observable import EventObservable
from rootflow.evaluation.classification.scores import METRICS
from rootflow.evaluation.classification.spectra import spectrum, yields
from rootflow.evaluation.paired import comparisons
from rootflow.evaluation.spectra import process_of
from rootflow.methods.contract import Classifier
from rootflow.progress import progress


def evaluate(
    events: Events,
    samples: Sequence[Sample],
    scorers: Sequence[Classifier],
    inputs: InputsConfig,
    config: ClassificationEvaluationConfig,
    seed: int,
    observable: EventObservable | None = None,
    classes: Sequence[str] = CLASSES,
    held_out: HeldOut | None = None,
) -> ClassificationEvaluation:
    """Compare models on the same events, each scored by the model that has not trained on it.

    Everything is weighted by the events expected in data, and all models share the
    bootstrap replicas. Training weights play no part.

    Parameters
    ----------
    events
        Signal, background, and data if there is any.
    samples
        Those that `events.sample` counts through.
    scorers
        The models, in the order of the tables.
    inputs
        What the models see: each is permuted once for its importance.
    config
        Bins, replicas and uncertainties; models that it names are not looked at.
    seed
        Of bootstrap and permutations.
    observable
        What is drawn beside the score; none: what needs one is left out.
    classes
        Names of the classes by their labels.
    held_out
        The fold that all events are of; none: all folds, each by the model that held it out.

    Raises
    ------
    InputError
        The events have no labels, or numbers that are not finite; signal or
        background is missing or has too few events; a sample has no positive sum of weights.
    UsageError
        Two models have one name, there is none, or there is no such observable or class.
    ConformanceError
        A model's scores are not numbers from 0 to 1.
    RootflowError
        A fit does not converge.
    """
    labelled = Labelled.of(events, samples, observable, classes, config.signal)
    simulation = labelled.simulation()
    scored = scored_by(scorers, labelled)
    models = [ModelQuestions(each, labelled, simulation, config) for each in scored]
    found = _bootstrap(models, simulation, config.replicas, seed)
    important = importances(
        scorers,
        {model.name: model.scores for model in models},
        simulation,
        inputs,
        config.importance_events,
        seed,
    )
    results = []
    with progress("fit", len(models), "models") as advance:
        for model, importance in zip(models, important, strict=True):
            results.append(model.result(found[model.name], importance, seed))
            advance(1, model.name)
    share = held_out.folds if held_out else 1
    normalised = (each.normalisation for each in samples if each.normalisation)
    return ClassificationEvaluation(
        processes=tuple(
            process_of(sample, labelled.kind(sample), labelled.weight[of_sample])
            for sample, of_sample in labelled.by_sample
        ),
        classes=labelled.classes,
        signals=labelled.signals,
        observable=observable,
        in_window=yields(labelled.within(config.significance_window)),
        spectrum=None
        if labelled.values is None
        else spectrum(labelled.values, labelled, observable_edges(config)),
        models=tuple(results),
        comparisons=comparisons(
            METRICS, {f"{name}/auc": each["auc"] for name, each in found.items()}, list(found)
        ),
        replicas=config.replicas,
        seed=seed,
        background_uncertainty=config.background_uncertainty,
        luminosity_uncertainty=config.luminosity_uncertainty,
        significance_window=config.significance_window,
        luminosity_fb_inverse=next(
            (each.luminosity_fb_inverse / share for each in normalised), None
        ),
        energy_tev=config.energy_tev,
        held_out=held_out,
        scored=scored,
    )


def _bootstrap(
    models: Sequence[ModelQuestions], simulation: Labelled, replicas: int, seed: int
) -> dict[str, dict[str, Replicated]]:
    """Return every statistic by model and name, all of the same replicas."""
    statistics = {
        f"{place}/{name}": statistic
        for place, model in enumerate(models)
        for name, statistic in model.statistics.items()
    }
    found = bootstrap(statistics, simulation.weight, replicas, seed)
    return {
        model.name: {name: found[f"{place}/{name}"] for name in model.statistics}
        for place, model in enumerate(models)
    }
