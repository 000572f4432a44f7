"""What is asked of one model, and where the answers go."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np

from rootflow.config import ClassificationEvaluationConfig
from rootflow.evaluation.bootstrap import Estimates, FloatArray, Statistic, estimates_of
from rootflow.evaluation.classification import fit
from rootflow.evaluation.classification.binning import (
    fit_edges,
    mass_edges,
    quantile_edges,
    score_edges,
)
from rootflow.evaluation.classification.calibration import Reliability, calibration
from rootflow.evaluation.classification.cut import (
    BestCuts,
    Significances,
    scan_of,
    thresholds_of,
)
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.naming import IN_WINDOW
from rootflow.evaluation.classification.over_training import over_training
from rootflow.evaluation.classification.ranking import RankingStatistics
from rootflow.evaluation.classification.results import (
    Importance,
    ModelResult,
    OverTraining,
    Scored,
    ScoreFit,
)
from rootflow.evaluation.classification.sculpting import Divergences, sculpting
from rootflow.evaluation.classification.significance import BinnedSignificance
from rootflow.evaluation.classification.spectra import spectrum, yields
from rootflow.evaluation.plain import single


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
    reliability, significances, best_cuts, divergences, binned_significance
        The other statistics.
    thresholds, sculpting_edges, fit_edges
        Of the scan, and the bins of the score in sculpting and fit.
    """

    scored: Scored
    scores: FloatArray
    ranking: RankingStatistics
    ranking_in_window: RankingStatistics | None
    reliability: Reliability
    significances: Significances
    best_cuts: BestCuts
    divergences: Divergences
    binned_significance: BinnedSignificance
    thresholds: FloatArray
    sculpting_edges: FloatArray
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
        scores, in_training = (of[~labelled.data] for of in scored[1:])
        window = config.significance_window_gev
        counted = simulation.within(window)
        shown = simulation.within(config.mass_window_gev)
        sculpting_edges = quantile_edges(scores, shown, config.sculpting_bins)
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
            divergences=Divergences.of(scores, sculpting_edges, simulation, mass_edges(config)),
            binned_significance=BinnedSignificance(scores, counted, bins_of_fit),
            thresholds=thresholds,
            sculpting_edges=sculpting_edges,
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
            "divergences": self.divergences,
            "binned_significance": self.binned_significance,
        }


def result_of(
    model: Model,
    labelled: Labelled,
    simulation: Labelled,
    config: ClassificationEvaluationConfig,
    replicas: Mapping[str, FloatArray],
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
    replicas
        (replicas, k) of each of its statistics, by name.
    importance
        Of its inputs.
    seed
        Of the permutations of the sculpting test.
    """
    estimates = estimates_of(model.statistics(), replicas, simulation.weight)
    scores, edges = model.scored.scores, score_edges(config)
    scan, best_cut = scan_of(
        model.significances,
        model.best_cuts,
        simulation.weight,
        model.thresholds,
        replicas["significances"],
        replicas["best_cuts"],
    )
    selected = scores >= best_cut.threshold
    counted = labelled.within(config.significance_window_gev)
    masses = mass_edges(config)
    in_window = model.ranking_in_window

    def trained(ranking: RankingStatistics, among: Labelled) -> OverTraining | None:
        found = ranking.in_training(estimates, replicas)
        return found and over_training(model.scored, among, edges.tolist(), found)

    return ModelResult(
        name=model.scored.name,
        ranking=model.ranking.ranking(estimates),
        ranking_in_window=in_window and in_window.ranking(estimates),
        scores=spectrum(scores, labelled, edges.tolist(), np.ones(len(labelled), bool)),
        over_training=trained(model.ranking, labelled),
        over_training_in_window=in_window and trained(in_window, counted),
        calibration=calibration(estimates["reliability"], edges),
        sculpting=sculpting(
            estimates["divergences"],
            model.divergences.permuted(simulation.weight, config.replicas, seed),
            model.scores,
            model.sculpting_edges,
            simulation,
            masses,
        ),
        importance=importance,
        scan=scan,
        best_cut=best_cut,
        yields=yields(counted, selected),
        mass=spectrum(labelled.m4l, labelled, masses, selected),
        fit=_fit(model, counted, config, estimates["binned_significance"]),
    )


def _fit(
    model: Model, labelled: Labelled, config: ClassificationEvaluationConfig, without: Estimates
) -> ScoreFit:
    everything = np.ones(len(labelled), bool)
    scores = spectrum(model.scored.scores, labelled, model.fit_edges.tolist(), everything)
    signals = [sample.name for sample in labelled.samples if sample.label == "signal"]
    systematics = fit.Systematics(
        config.background_uncertainty, config.luminosity_uncertainty, simulated_statistics=True
    )
    return ScoreFit(
        scores=scores,
        statistics_only=fit.significance(scores, signals, fit.NONE, single(without).error),
        with_systematics=fit.significance(scores, signals, systematics),
    )
