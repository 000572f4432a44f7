"""What is asked of one model, and where the answers go."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from rootflow.config import ClassificationEvaluationConfig
from rootflow.evaluation.bootstrap import FloatArray, Replicated, Statistic
from rootflow.evaluation.classification import fit
from rootflow.evaluation.classification.binning import (
    fit_edges,
    observable_edges,
    quantile_edges,
    score_edges,
)
from rootflow.evaluation.classification.calibration import Reliability, calibration
from rootflow.evaluation.classification.classes import ClassStatistics
from rootflow.evaluation.classification.cut import (
    BestCuts,
    Significances,
    scan_of,
    thresholds_of,
)
from rootflow.evaluation.classification.evaluation import ModelResult
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.metrics import IN_WINDOW
from rootflow.evaluation.classification.over_training import over_training
from rootflow.evaluation.classification.ranking import RankingStatistics
from rootflow.evaluation.classification.results import (
    OverTraining,
    Scored,
    ScoreFit,
    Sculpting,
)
from rootflow.evaluation.classification.sculpting import Divergences, background_bins, sculpting
from rootflow.evaluation.classification.significance import BinnedSignificance
from rootflow.evaluation.classification.spectra import spectrum, yields
from rootflow.evaluation.classification.systematics import variations_of
from rootflow.evaluation.results import Importance


class SculptingTest(NamedTuple):
    """Background in bins of the score: (n,) the bins and their edges, and the statistic."""

    bins: NDArray[np.int64]
    edges: FloatArray
    divergences: Divergences

    @classmethod
    def of(
        cls, scores: FloatArray, simulation: Labelled, config: ClassificationEvaluationConfig
    ) -> Self | None:
        """Return what is asked of the (n,) scores; None without an observable."""
        if simulation.values is None:
            return None
        shown = simulation.within(config.observable_window)
        edges = quantile_edges(scores, shown, config.sculpting_bins)
        bins = background_bins(scores, edges, simulation)
        return cls(bins, edges, Divergences(bins, simulation.values, observable_edges(config)))


class Model(NamedTuple):
    """A model's scores of simulation, and the statistics that are asked of them.

    Attributes
    ----------
    scored
        Of all events, data too.
    scores
        (n,) of the simulation.
    ranking, ranking_in_window
        Statistics of all events, and of those that count in significances; None where all do.
    reliability, significances, best_cuts, binned_significance
        The other statistics.
    sculpting, classes
        None without an observable, and of two classes.
    thresholds, fit_edges
        Of the scan, and the bins of the score in the fit.
    """

    scored: Scored
    scores: FloatArray
    ranking: RankingStatistics
    ranking_in_window: RankingStatistics | None
    reliability: Reliability
    significances: Significances
    best_cuts: BestCuts
    binned_significance: BinnedSignificance
    sculpting: SculptingTest | None
    classes: ClassStatistics | None
    thresholds: FloatArray
    fit_edges: FloatArray

    @classmethod
    def of(
        cls,
        scored: Scored,
        labelled: Labelled,
        simulation: Labelled,
        config: ClassificationEvaluationConfig,
    ) -> Self:
        """Return the model with its statistics.

        Parameters
        ----------
        scored
            What the model says of all events.
        labelled
            All events.
        simulation
            Those that are not data.
        config
            Bins and uncertainties.
        """
        simulated = ~labelled.data
        scores, in_training = scored.scores[simulated], scored.scores_in_training[simulated]
        window = config.significance_window
        counted = simulation.within(window)
        bins_of_fit = fit_edges(scores, counted, config.score_bins)
        best_cuts = BestCuts(scores, counted, config.background_uncertainty)
        thresholds = thresholds_of(scores, counted, best_cuts.best)
        return cls(
            scored=scored,
            scores=scores,
            ranking=RankingStatistics.of(scores, in_training, simulation),
            ranking_in_window=None
            if window is None
            else RankingStatistics.of(scores, in_training, counted, IN_WINDOW),
            reliability=Reliability(scores, simulation.signal, score_edges(config)),
            significances=Significances(scores, counted, thresholds, config.background_uncertainty),
            best_cuts=best_cuts,
            binned_significance=BinnedSignificance(scores, counted, bins_of_fit),
            sculpting=SculptingTest.of(scores, simulation, config),
            classes=None
            if scored.probabilities is None
            else ClassStatistics.of(scored.probabilities[simulated], simulation),
            thresholds=thresholds,
            fit_edges=bins_of_fit,
        )

    def statistics(self) -> dict[str, Statistic]:
        """Return what the bootstrap has to find, by name."""
        in_window = self.ranking_in_window
        return {
            **self.ranking.statistics(),
            **(in_window.statistics() if in_window else {}),
            "reliability": self.reliability,
            "significances": self.significances,
            "best_cuts": self.best_cuts,
            **({"divergences": self.sculpting.divergences} if self.sculpting else {}),
            "binned_significance": self.binned_significance,
            **(self.classes.statistics() if self.classes else {}),
        }


def result_of(
    model: Model,
    labelled: Labelled,
    simulation: Labelled,
    config: ClassificationEvaluationConfig,
    found: Mapping[str, Replicated],
    importance: tuple[Importance, ...],
    seed: int,
) -> ModelResult:
    """Return all that is found of one model.

    Parameters
    ----------
    model
        The model.
    labelled, simulation, config
        As of `Model.of`.
    found
        Its statistics, by name.
    importance
        Of its inputs.
    seed
        Of the permutations of the sculpting test.
    """
    scores, edges = model.scored.scores, score_edges(config)
    bins = edges.tolist()
    scan, best_cut = scan_of(
        model.significances,
        model.best_cuts,
        simulation.weight,
        model.thresholds,
        found["significances"],
        found["best_cuts"],
    )
    selected = scores >= best_cut.threshold
    counted = labelled.within(config.significance_window)
    in_window, probabilities = model.ranking_in_window, model.scored.probabilities

    def trained(ranking: RankingStatistics, among: Labelled) -> OverTraining | None:
        ranked = ranking.in_training(found)
        return ranked and over_training(model.scored, among, bins, ranked)

    return ModelResult(
        name=model.scored.name,
        ranking=model.ranking.ranking(found),
        ranking_in_window=in_window and in_window.ranking(found),
        scores=spectrum(scores, labelled, bins, np.ones(len(labelled), bool)),
        over_training=trained(model.ranking, labelled),
        over_training_in_window=in_window and trained(in_window, counted),
        calibration=calibration(found["reliability"], edges),
        sculpting=_sculpting(model.sculpting, simulation, config, found, seed),
        importance=importance,
        scan=scan,
        best_cut=best_cut,
        yields=yields(counted, selected),
        after_cut=None
        if labelled.values is None
        else spectrum(labelled.values, labelled, observable_edges(config), selected),
        fit=_fit(model, counted, config, found["binned_significance"]),
        classes=None
        if model.classes is None or probabilities is None
        else model.classes.classes(found, probabilities, labelled, bins),
        variations=variations_of(
            model.ranking.auc,
            model.scores,
            simulation,
            simulation.within(config.significance_window),
            best_cut.threshold,
            config.background_uncertainty,
        ),
    )


def _sculpting(
    test: SculptingTest | None,
    simulation: Labelled,
    config: ClassificationEvaluationConfig,
    found: Mapping[str, Replicated],
    seed: int,
) -> Sculpting | None:
    if test is None or simulation.values is None:
        return None
    return sculpting(
        found["divergences"],
        test.divergences.permuted(simulation.weight, config.replicas, seed),
        test.bins,
        test.edges,
        simulation.values,
        simulation,
        observable_edges(config),
    )


def _fit(
    model: Model, labelled: Labelled, config: ClassificationEvaluationConfig, without: Replicated
) -> ScoreFit:
    everything = np.ones(len(labelled), bool)
    scores = spectrum(model.scored.scores, labelled, model.fit_edges.tolist(), everything)
    signals = [each.name for each in labelled.samples if labelled.kind(each) == "signal"]
    systematics = fit.Systematics(
        config.background_uncertainty, config.luminosity_uncertainty, simulated_statistics=True
    )
    return ScoreFit(
        scores=scores,
        statistics_only=fit.significance(scores, signals, fit.NONE, without.estimate().error),
        with_systematics=fit.significance(scores, signals, systematics),
    )
