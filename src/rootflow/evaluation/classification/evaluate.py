"""From events and models to an evaluation."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.config import ClassificationEvaluationConfig, InputsConfig
from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.evaluation.bootstrap import FloatArray, Replicated, Statistic, bootstrap
from rootflow.evaluation.classification.evaluation import ClassificationEvaluation, HeldOut
from rootflow.evaluation.classification.labelled import (
    CLASSES,
    EventObservable,
    Labelled,
    spectrum,
    yields,
)
from rootflow.evaluation.classification.ranking import ClassQuestion, RankingQuestion, Reliability
from rootflow.evaluation.classification.results import (
    IN_WINDOW,
    ModelResult,
    Scored,
    Variation,
)
from rootflow.evaluation.classification.scores import METRICS, importances, scored_by
from rootflow.evaluation.classification.sculpting import SculptingQuestion
from rootflow.evaluation.classification.significance import CutQuestion, FitQuestion, asimov
from rootflow.evaluation.paired import comparisons
from rootflow.evaluation.results import Importance, Spectrum, process_of, varied_weights
from rootflow.methods.contract import Classifier
from rootflow.progress import progress


def observable_edges(config: ClassificationEvaluationConfig) -> list[float]:
    """Return edges of the configured window of the observable; empty without one."""
    if config.observable_window is None:
        return []
    edges: list[float] = np.linspace(*config.observable_window, config.observable_bins + 1).tolist()
    return edges


def observable_spectrum(
    labelled: Labelled,
    config: ClassificationEvaluationConfig,
    among: NDArray[np.bool_] | bool = True,
) -> Spectrum | None:
    """Return that of the events among (n,), by default all; None without an observable."""
    if labelled.values is None:
        return None
    return spectrum(labelled.values, labelled, observable_edges(config), among)


class ModelQuestions:
    """All that is asked of one model: what the bootstrap has to find, and the result from it."""

    def __init__(
        self,
        scored: Scored,
        labelled: Labelled,
        simulation: Labelled,
        config: ClassificationEvaluationConfig,
    ) -> None:
        simulated, window = ~labelled.data, config.significance_window
        scores, in_training = scored.scores[simulated], scored.scores_in_training[simulated]
        counted = simulation.within(window)
        self.name, self.scores = scored.name, scores
        self._scored, self._labelled, self._config = scored, labelled, config
        self._simulation, self._counted = simulation, counted
        self._score_edges = np.linspace(0, 1, config.score_bins + 1)
        self._rankings = [RankingQuestion(scores, in_training, simulation)]
        if window:
            self._rankings.append(RankingQuestion(scores, in_training, counted, IN_WINDOW))
        self._reliability = Reliability(scores, simulation.signal, self._score_edges)
        self._cut = CutQuestion(scores, counted, config.background_uncertainty)
        self._fit = FitQuestion(scores, counted, config)
        self._sculpting = self._classes = None
        self.statistics: dict[str, Statistic] = {
            "reliability": self._reliability,
            "binned_significance": self._fit,
            **self._cut.statistics,
        }
        for ranking in self._rankings:
            self.statistics |= ranking.statistics
        if simulation.values is not None:
            edges = observable_edges(config)
            self._sculpting = SculptingQuestion(scores, simulation, config.sculpting_bins, edges)
            self.statistics["divergences"] = self._sculpting
        if scored.probabilities is not None:
            self._classes = ClassQuestion(scored.probabilities, labelled)
            self.statistics |= self._classes.statistics

    def result(
        self, of_models: Mapping[str, Replicated], importance: tuple[Importance, ...], seed: int
    ) -> ModelResult:
        """Return all that is found, of the statistics by MODEL/NAME.

        The seed is that of permutations of the sculpting test.
        """
        found = {name: of_models[f"{self.name}/{name}"] for name in self.statistics}
        labelled, config, scores = self._labelled, self._config, self._scored.scores
        counted, bins = labelled.within(config.significance_window), self._score_edges.tolist()
        everywhere, *inside = (ranking.answer(found, bins) for ranking in self._rankings)
        scan, best_cut = self._cut.answer(found)
        selected = scores >= best_cut.threshold
        sculpting, classes = self._sculpting, self._classes
        return ModelResult(
            name=self.name,
            ranking=everywhere.ranking,
            ranking_in_window=inside[0].ranking if inside else None,
            scores=spectrum(scores, labelled, bins),
            over_training=everywhere.over_training,
            over_training_in_window=inside[0].over_training if inside else None,
            calibration=self._reliability.answer(found["reliability"]),
            sculpting=sculpting.answer(found["divergences"], config.replicas, seed)
            if sculpting
            else None,
            importance=importance,
            scan=scan,
            best_cut=best_cut,
            yields=yields(counted, selected),
            after_cut=observable_spectrum(labelled, config, selected),
            fit=self._fit.answer(found["binned_significance"], scores, counted),
            classes=classes.answer(found, bins) if classes else None,
            variations=self._variations(best_cut.threshold),
        )

    def _variations(self, threshold: float) -> tuple[Variation, ...]:
        """Return by how much each variation of the weights shifts results at the nominal cut."""
        kept, counted = self.scores >= threshold, self._counted
        signal, background = kept & counted.signal, kept & counted.background

        def found(weight: FloatArray) -> FloatArray:
            s, b = np.sum(weight[signal]), np.sum(weight[background])
            variance = np.sum((weight**2)[background])
            variance += (self._config.background_uncertainty * b) ** 2
            area = self._rankings[0].auc(weight[np.newaxis])[0, 0]
            return np.array([area, s, b, asimov(s, b, variance)], np.float64)

        nominal = found(self._simulation.weight)
        return tuple(
            Variation(name, *(found(weight) - nominal).tolist())
            for name, weight in varied_weights(self._simulation.events).items()
        )


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

    Everything is weighted by the events expected in data, all models share the bootstrap replicas.

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
        Decides bootstrap and permutations.
    observable
        What is drawn beside the score; none: what needs one is left out.
    classes
        Names of the classes by their labels.
    held_out
        The fold that all events are of; none: all folds, each by the model that held it out.

    Raises
    ------
    InputError
        The events have no labels, numbers that are not finite, too few events of a class, or a
        sample without a positive sum of weights.
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
    statistics = {
        f"{model.name}/{name}": statistic
        for model in models
        for name, statistic in model.statistics.items()
    }
    found = bootstrap(statistics, simulation.weight, config.replicas, seed)
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
            results.append(model.result(found, importance, seed))
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
        spectrum=observable_spectrum(labelled, config),
        models=tuple(results),
        comparisons=comparisons(METRICS, found, [model.name for model in models]),
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
