"""What is asked of one model, and where the answers go."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np

from rootflow.config import ClassificationConfig
from rootflow.evaluation.bootstrap import Estimates, FloatArray, Statistic, estimates_of
from rootflow.evaluation.classification import fit
from rootflow.evaluation.classification.auc import (
    QUOTED_EFFICIENCIES,
    SIGNAL_EFFICIENCIES,
    AreaUnderCurve,
    BackgroundEfficiencies,
)
from rootflow.evaluation.classification.binning import (
    fit_edges,
    mass_edges,
    quantile_edges,
    score_edges,
)
from rootflow.evaluation.classification.calibration import Reliability, calibration
from rootflow.evaluation.classification.cut import Significances, scan_of, thresholds_of
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.over_training import over_training
from rootflow.evaluation.classification.results import (
    Importance,
    ModelResult,
    Ranking,
    Rejection,
    Roc,
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
    auc, auc_against, roc, reliability, significances, divergences, binned_significance
        The statistics; `auc_against` by background, empty where there is only one.
    thresholds, sculpting_edges, fit_edges
        Of the scan, and the bins of the score in sculpting and fit.
    """

    scored: Scored
    scores: FloatArray
    auc: AreaUnderCurve
    auc_against: dict[str, AreaUnderCurve]
    roc: BackgroundEfficiencies
    reliability: Reliability
    significances: Significances
    divergences: Divergences
    binned_significance: BinnedSignificance
    thresholds: FloatArray
    sculpting_edges: FloatArray
    fit_edges: FloatArray

    @classmethod
    def of(
        cls, scored: Scored, labelled: Labelled, simulation: Labelled, config: ClassificationConfig
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
        scores = scored.scores[~labelled.data]
        signal, backgrounds = simulation.signal, simulation.backgrounds
        counted = simulation.within(config.significance_window_gev)
        thresholds = thresholds_of(scores, counted)
        shown = simulation.within(config.mass_window_gev)
        sculpting_edges = quantile_edges(scores, shown, config.sculpting_bins)
        bins_of_fit = fit_edges(scores, counted, config.score_bins)
        return cls(
            scored=scored,
            scores=scores,
            auc=AreaUnderCurve(scores, signal),
            auc_against={
                name: AreaUnderCurve(scores, signal, among)
                for name, among in backgrounds.items()
                if len(backgrounds) > 1
            },
            roc=BackgroundEfficiencies(scores, signal),
            reliability=Reliability(scores, signal, score_edges(config)),
            significances=Significances(scores, counted, thresholds, config.background_uncertainty),
            divergences=Divergences.of(scores, sculpting_edges, simulation, mass_edges(config)),
            binned_significance=BinnedSignificance(scores, counted, bins_of_fit),
            thresholds=thresholds,
            sculpting_edges=sculpting_edges,
            fit_edges=bins_of_fit,
        )

    def statistics(self) -> dict[str, Statistic]:
        """Return what the bootstrap has to find, by name."""
        named: dict[str, Statistic] = {
            f"auc_against_{name}": statistic for name, statistic in self.auc_against.items()
        }
        return {
            **named,
            "auc": self.auc,
            "roc": self.roc,
            "reliability": self.reliability,
            "significances": self.significances,
            "divergences": self.divergences,
            "binned_significance": self.binned_significance,
        }


def result_of(
    model: Model,
    labelled: Labelled,
    simulation: Labelled,
    config: ClassificationConfig,
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
        model.significances, simulation.weight, model.thresholds, replicas["significances"]
    )
    selected = scores >= best_cut.threshold
    counted = labelled.within(config.significance_window_gev)
    masses = mass_edges(config)
    return ModelResult(
        name=model.scored.name,
        ranking=_ranking(model, estimates),
        scores=spectrum(scores, labelled, edges.tolist(), np.ones(len(labelled), bool)),
        over_training=over_training(model.scored, labelled, edges.tolist()),
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


def _ranking(model: Model, estimates: Mapping[str, Estimates]) -> Ranking:
    roc = estimates["roc"]
    points = len(SIGNAL_EFFICIENCIES)
    return Ranking(
        auc=single(estimates["auc"]),
        auc_against={name: single(estimates[f"auc_against_{name}"]) for name in model.auc_against},
        roc=Roc(
            signal_efficiency=tuple(SIGNAL_EFFICIENCIES.tolist()),
            background_efficiency=tuple(roc.values[:points].tolist()),
            errors=tuple(roc.errors[:points].tolist()),
        ),
        rejections=tuple(
            Rejection(at, single(roc, place) if np.isfinite(roc.values[place]) else None)
            for place, at in enumerate(QUOTED_EFFICIENCIES, start=points)
        ),
    )


def _fit(
    model: Model, labelled: Labelled, config: ClassificationConfig, without: Estimates
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
