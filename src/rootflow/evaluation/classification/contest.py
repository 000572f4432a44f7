"""A classifier against the champion, on the same events and the same replicas."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.errors import UsageError
from rootflow.evaluation.bootstrap import Replicated, bootstrap
from rootflow.evaluation.cell_statistics import bin_of
from rootflow.evaluation.classification.asking import ScoringModel, score
from rootflow.evaluation.classification.auc import AreaUnderCurve
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.contest import Contest, Edges, bins_of, decide

METRIC = "auc"


def contest(
    events: Events,
    samples: Sequence[Sample],
    candidate: ScoringModel,
    champion: ScoringModel | None,
    *,
    least_gain: float,
    edges: Edges,
    replicas: int,
    seed: int,
) -> Contest:
    """Compare the weighted AUC of two classifiers, event by event.

    Parameters
    ----------
    events
        Signal and background; data are not looked at.
    samples
        Those that `events.sample` counts through.
    candidate, champion
        The models; without a champion only the candidate's AUC is found.
    least_gain
        What the gain is tested against.
    edges
        Of the named bins, by feature of the event.
    replicas, seed
        Of the bootstrap, which both share.

    Raises
    ------
    InputError
        The events are none of an evaluation of classifiers, or a model may not be applied to them.
    UsageError
        The events have no such feature, or a bin has no signal or no background.
    ConformanceError
        Scores are not numbers from 0 to 1.
    """
    simulation = Labelled.of(events, samples).simulation()
    inside = _inside(simulation.events, edges)
    measured = []
    for model in (candidate, champion):
        if model is not None:
            scores = score(model, simulation.events, simulation)
            statistics = {
                str(place): AreaUnderCurve(
                    scores, simulation.signal & among, simulation.background & among
                )
                for place, among in enumerate(inside)
            }
            found = bootstrap(statistics, simulation.weight, replicas, seed)
            measured.append(Replicated.joined(found.values()))
    return decide(METRIC, len(simulation), measured, bins_of(edges), least_gain, seed)


def _inside(events: Events, edges: Edges) -> list[NDArray[np.bool_]]:
    """Return (n,) which events count: all, and then those in each bin."""
    known = events.features["event"]
    inside = [np.ones(len(events), bool)]
    for name, limits in edges.items():
        if name not in known:
            raise UsageError(f"promotion.no_regression_in: '{name}' is none of {', '.join(known)}")
        number = bin_of(events.event[:, known.index(name)], limits)
        inside += [np.asarray(number == place) for place in range(len(limits) - 1)]
    return inside
