"""A classifier against the champion, on the same events and the same replicas."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.dataset.events import Events
from rootflow.dataset.manifest import Sample
from rootflow.errors import UsageError
from rootflow.evaluation.bootstrap import Replicated, bootstrap
from rootflow.evaluation.cell_statistics import bin_of
from rootflow.evaluation.classification.asking import score
from rootflow.evaluation.classification.labelled import Labelled
from rootflow.evaluation.classification.ranking import AreaUnderCurve
from rootflow.evaluation.contest import Contest, Edges, bins_of, decide
from rootflow.methods.contract import Classifier

METRIC = "auc"


def contest(
    events: Events,
    samples: Sequence[Sample],
    candidate: Classifier,
    champion: Classifier | None,
    *,
    least_gain: float,
    edges: Edges,
    replicas: int,
    seed: int,
) -> Contest:
    """Compare the weighted AUC of two classifiers, event by event.

    Data are not looked at; without a champion only the candidate's AUC is found. `least_gain` is
    what the gain is tested against, `edges` are of the named bins by feature of the event. That
    there is no such feature, or a bin without signal or background, is a UsageError.
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
