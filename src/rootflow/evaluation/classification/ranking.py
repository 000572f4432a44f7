"""How well a score ranks events, unseen and in training, and what the bootstrap finds of it."""

from collections.abc import Mapping
from typing import NamedTuple, Self

import numpy as np

from rootflow.evaluation.bootstrap import (
    FloatArray,
    Replicated,
    Statistic,
)
from rootflow.evaluation.classification.auc import (
    QUOTED_EFFICIENCIES,
    SIGNAL_EFFICIENCIES,
    AreaUnderCurve,
    BackgroundEfficiencies,
)
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.results import (
    Ranking,
    RankingInTraining,
    Rejection,
    Roc,
)
from rootflow.evaluation.paired import paired


class RankingStatistics(NamedTuple):
    """What is asked of how a score ranks some events.

    Attributes
    ----------
    auc, roc
        Of the scores by models that have not trained on the events.
    auc_training
        Of the same events' scores by models that have trained on them; None where none has.
    auc_against
        By background; empty where there is only one.
    where
        Behind the names of the statistics, which tells these events from others.
    """

    auc: AreaUnderCurve
    roc: BackgroundEfficiencies
    auc_training: AreaUnderCurve | None
    auc_against: dict[str, AreaUnderCurve]
    where: str

    @classmethod
    def of(
        cls, scores: FloatArray, scores_in_training: FloatArray, events: Labelled, where: str = ""
    ) -> Self:
        """Return the statistics of the signal and the background among the events.

        Parameters
        ----------
        scores, scores_in_training
            (n,) of all events, by models that have not trained on them and by those that have: NaN
            where none has.
        events
            The n events, of which those outside a window are neither signal nor background.
        where
            As of the class.
        """
        signal, background = events.signal, events.background
        backgrounds = {
            name: among
            for name, among in events.backgrounds.items()
            if np.sum(events.weight[among]) > 0
        }
        return cls(
            auc=AreaUnderCurve(scores, signal, background),
            roc=BackgroundEfficiencies(scores, signal, background),
            auc_training=None
            if np.all(np.isnan(scores_in_training))
            else AreaUnderCurve(scores_in_training, signal, background),
            auc_against={
                name: AreaUnderCurve(scores, signal, among)
                for name, among in backgrounds.items()
                if len(backgrounds) > 1
            },
            where=where,
        )

    def statistics(self) -> dict[str, Statistic]:
        """Return what the bootstrap has to find, by name."""
        named: dict[str, Statistic] = {
            "auc": self.auc,
            "roc": self.roc,
            **({"auc_training": self.auc_training} if self.auc_training is not None else {}),
            **{f"auc_against_{name}": area for name, area in self.auc_against.items()},
        }
        return {f"{name}{self.where}": statistic for name, statistic in named.items()}

    def ranking(self, found: Mapping[str, Replicated]) -> Ranking:
        """Return how unseen events are ranked, from what was found by name."""
        roc = found[f"roc{self.where}"]
        exists = np.isfinite(roc.values) & np.isfinite(roc.errors)
        points = len(SIGNAL_EFFICIENCIES)
        return Ranking(
            auc=found[f"auc{self.where}"].estimate(),
            auc_against={
                name: found[f"auc_against_{name}{self.where}"].estimate()
                for name in self.auc_against
            },
            roc=Roc(
                signal_efficiency=tuple(SIGNAL_EFFICIENCIES.tolist()),
                background_efficiency=tuple(roc.values[:points].tolist()),
                errors=tuple(roc.errors[:points].tolist()),
            ),
            rejections=tuple(
                Rejection(at, roc.estimate(place) if exists[place] else None)
                for place, at in enumerate(QUOTED_EFFICIENCIES, start=points)
            ),
        )

    def in_training(self, found: Mapping[str, Replicated]) -> RankingInTraining | None:
        """Return by how much better models rank events that they have trained on.

        Every event has one score of either kind, so the error is that of the difference in
        the same replicas: what events do to both does not count. None where no model has.
        """
        if self.auc_training is None:
            return None
        trained = found[f"auc_training{self.where}"]
        excess = paired(trained, found[f"auc{self.where}"])
        return RankingInTraining(trained.estimate(), excess.gain, excess.p_value)
