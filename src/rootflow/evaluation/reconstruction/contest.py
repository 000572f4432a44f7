"""A method of reconstruction against the champion."""

import numpy as np

from rootflow.dataset.events import Events
from rootflow.evaluation.bootstrap import NOWHERE, CellStatistic, Replicated, bootstrap
from rootflow.evaluation.cell_statistics import BiasAndResolution, Shares, everywhere
from rootflow.evaluation.paired import Contest, Edges, bins_of, decide
from rootflow.evaluation.reconstruction.metrics import (
    BINNED,
    METRICS,
    binned_by,
    check_known,
    residuals_of,
    right_answers,
)
from rootflow.evaluation.reconstruction.observables import OBSERVABLES
from rootflow.evaluation.reconstruction.sample import (
    Candidate,
    EventsWithTruth,
    candidates_of,
    sample_of,
)
from rootflow.methods.contract import Reconstructor

RESOLUTION = "mtt_resolution"


def check_bins(names: Edges) -> None:
    """Refuse quantities of which reconstructed events have no bins, and say which there are."""
    check_known("promotion.no_regression_in", names, BINNED)


def contest(
    events: Events,
    candidate: Reconstructor,
    champion: Reconstructor | None,
    *,
    metric: str,
    least_gain: float,
    edges: Edges,
    btag_min: float,
    replicas: int,
    seed: int,
) -> Contest:
    """Compare two methods of reconstruction in one metric, event by event.

    The metric is assignment_accuracy, either_accuracy, selection_accuracy or mtt_resolution, as
    `rootflow.evaluation.reconstruction.metrics.DEFINITIONS` has them. The events are simulated, and
    neither method has been trained on them; without a champion only the candidate's metric is
    found. The gain is tested against `least_gain`; `edges` are those of the named bins, by
    quantity; a jet is tagged from `btag_min` on; both share the replicas of the bootstrap. Bins
    that there are not, or that have no event, are a UsageError.
    """
    check_bins(edges)
    sample = sample_of(events, btag_min)
    methods = [candidate] if champion is None else [candidate, champion]
    contenders = candidates_of(events, methods, "model")
    counts = [1, *(len(limits) - 1 for limits in edges.values())]
    statistics = {
        f"{contender.name}/{place}": statistic
        for contender in contenders
        for place, statistic in enumerate(_statistics(metric, contender, sample, edges))
    }
    found = bootstrap(statistics, events.weight, replicas, seed)
    # Of biases and resolutions, which come in this order, the resolutions.
    measured = [
        Replicated.joined(
            found[f"{contender.name}/{place}"].part(slice(-count, None))
            for place, count in enumerate(counts)
        )
        for contender in contenders
    ]
    better = METRICS[metric].better
    return decide(metric, len(events), measured, bins_of(edges), least_gain, seed, better)


def _statistics(
    metric: str, candidate: Candidate, sample: EventsWithTruth, edges: Edges
) -> list[CellStatistic]:
    """Return the metric of all events, and then one statistic for the bins of each quantity."""
    among = sample.matched
    if metric == RESOLUTION:
        residuals = residuals_of(OBSERVABLES["mtt"], candidate, sample)
        among = among & np.isfinite(residuals)
    cells = [(everywhere(among), 1)]
    for name, limits in edges.items():
        number = np.where(among, binned_by(name, sample, limits), NOWHERE)
        cells.append((number.astype(np.int16), len(limits) - 1))
    if metric == RESOLUTION:
        weight = sample.events.weight
        return [BiasAndResolution(residuals, number, count, weight) for number, count in cells]
    right = right_answers(candidate.answers.assignment, sample.assignment)[metric]
    return [Shares(right, number, count) for number, count in cells]
