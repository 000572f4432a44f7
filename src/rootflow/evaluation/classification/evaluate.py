"""From events and models to an evaluation."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np

from rootflow.config import ClassificationEvaluationConfig, InputsConfig
from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.evaluation.bootstrap import FloatArray, better_p_value, replicate
from rootflow.evaluation.classification.asking import FoldedModel, scored_by
from rootflow.evaluation.classification.binning import mass_edges
from rootflow.evaluation.classification.importance import importances
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.model import Model, result_of
from rootflow.evaluation.classification.results import (
    ClassificationEvaluation,
    Difference,
    ModelResult,
    Process,
)
from rootflow.evaluation.classification.spectra import spectrum, yields
from rootflow.evaluation.results import Estimate
from rootflow.progress import progress


def evaluate(
    events: Events,
    samples: Sequence[Sample],
    scorers: Sequence[FoldedModel],
    inputs: InputsConfig,
    config: ClassificationEvaluationConfig,
    seed: int,
) -> ClassificationEvaluation:
    """Compare models on the same events, each scored by the model that has not seen it.

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
        Bins, replicas and uncertainties; `config.compare_with` is not looked at.
    seed
        Of bootstrap and permutations.

    Raises
    ------
    InputError
        The events have no labels, no m4l or numbers that are not finite; signal or
        background is missing or has too few events; a sample has no positive sum of weights.
    UsageError
        Two models have one name, or there is none.
    ConformanceError
        A model's scores are not numbers from 0 to 1.
    RootflowError
        A fit does not converge.
    """
    labelled = Labelled.of(events, samples)
    simulation = labelled.simulation()
    scored = scored_by(scorers, labelled)
    models = [Model.of(each, labelled, simulation, config) for each in scored]
    replicas = _replicas(models, simulation, config.replicas, seed)
    important = importances(
        scorers,
        {model.scored.name: model.scores for model in models},
        simulation,
        inputs,
        config.importance_events,
        seed,
    )
    results = []
    with progress("fit", len(models), "models") as advance:
        for model, importance in zip(models, important, strict=True):
            of_model = replicas[model.scored.name]
            results.append(
                result_of(model, labelled, simulation, config, of_model, importance, seed)
            )
            advance(1, model.scored.name)
    everything = np.ones(len(labelled), bool)
    return ClassificationEvaluation(
        processes=_processes(labelled),
        in_window=yields(labelled.within(config.significance_window_gev), everything),
        mass=spectrum(labelled.m4l, labelled, mass_edges(config), everything),
        models=tuple(results),
        differences=_differences(results, replicas),
        replicas=config.replicas,
        seed=seed,
        background_uncertainty=config.background_uncertainty,
        luminosity_uncertainty=config.luminosity_uncertainty,
        significance_window_gev=config.significance_window_gev,
        luminosity_fb_inverse=_luminosity(samples),
        energy_tev=config.energy_tev,
        scored=scored,
    )


def _replicas(
    models: Sequence[Model], simulation: Labelled, replicas: int, seed: int
) -> dict[str, dict[str, FloatArray]]:
    """Return (replicas, k) of every statistic by model and name, all of the same replicas."""
    found = replicate(
        {
            f"{place}/{name}": statistic
            for place, model in enumerate(models)
            for name, statistic in model.statistics().items()
        },
        simulation.weight,
        replicas,
        seed,
    )
    return {
        model.scored.name: {name: found[f"{place}/{name}"] for name in model.statistics()}
        for place, model in enumerate(models)
    }


def _differences(
    results: Sequence[ModelResult], replicas: Mapping[str, Mapping[str, FloatArray]]
) -> tuple[Difference, ...]:
    found = []
    for model, other in permutations(results, 2):
        in_replicas = (replicas[model.name]["auc"] - replicas[other.name]["auc"])[:, 0]
        difference = model.ranking.auc.value - other.ranking.auc.value
        found.append(
            Difference(
                model=model.name,
                other=other.name,
                auc=Estimate(difference, float(np.std(in_replicas, ddof=1))),
                p_value=better_p_value(in_replicas),
            )
        )
    return tuple(found)


def _processes(labelled: Labelled) -> tuple[Process, ...]:
    everything = yields(labelled, np.ones(len(labelled), bool))
    return tuple(
        Process(
            sample.name,
            sample.title,
            sample.label,
            found.events,
            found.expected,
            sample.pseudo_data,
        )
        for sample, found in zip(labelled.samples, everything, strict=True)
        if sample.label is not None
    )


def _luminosity(samples: Sequence[Sample]) -> float | None:
    found = (s.normalisation.luminosity_fb_inverse for s in samples if s.normalisation)
    return next(found, None)
