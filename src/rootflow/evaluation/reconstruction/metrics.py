"""Which statistics are asked of each method, where their answers go, and two methods in one."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.config.evaluation import EvaluationConfig, ReconstructionPromotionConfig
from rootflow.dataset.events import Events
from rootflow.estimate import Estimate
from rootflow.evaluation.bootstrap import (
    NOWHERE,
    Cells,
    CellStatistic,
    Replicated,
    bootstrap,
)
from rootflow.evaluation.cell_statistics import (
    BiasAndResolution,
    CalibrationError,
    Shares,
    bin_of,
    everywhere,
)
from rootflow.evaluation.paired import Contest, Metric, decide
from rootflow.evaluation.reconstruction.observables import OBSERVABLES, Observable
from rootflow.evaluation.reconstruction.sample import (
    Candidate,
    EventsWithTruth,
    candidates_of,
    sample_of,
)
from rootflow.methods.contract import Reconstructor

SCORE_EDGES = tuple(np.linspace(0.0, 1.0, 11).tolist())
DEFINITIONS = {
    "assignment_accuracy": "share of matched events in which the jets of b and bbar are both right",
    "either_accuracy": "share of matched events in which at least one of the two is right",
    "selection_accuracy": "share of matched events in which the right two jets are chosen, "
    "in either order",
    "efficiency": "share of all events for which the method has an answer",
    "calibration_error": "mean distance of score and share with both right, in "
    f"{len(SCORE_EDGES) - 1} bins of the score (expected calibration error), of networks",
    "OBSERVABLE_bias": "median of the reconstructed less the true value, over it for m(ttbar), "
    "energies, masses and Lorentz factors; of neutrinos and W bosons over solved events of "
    "methods with neutrinos of their own, of top quarks over solved matched events",
    "OBSERVABLE_resolution": "half the width of the central 68.27 % interval of the same",
    "mtt_all_bias": "mtt_bias over all solved events, matched or not",
    "mtt_all_resolution": "mtt_resolution over all solved events, matched or not",
}

# What methods are compared in; of m(ttbar) the bias and the resolution.
METRICS = {
    "assignment_accuracy": Metric("assignment_accuracy"),
    "either_accuracy": Metric("either_accuracy"),
    "selection_accuracy": Metric("selection_accuracy"),
    "mtt_bias": Metric("mtt", 0, "nearer to zero"),
    "mtt_resolution": Metric("mtt", 1, "less"),
}
SHARES = ("assignment_accuracy", "either_accuracy", "selection_accuracy", "efficiency")
# Of these, larger numbers are counted in the last bin.
COUNTS = ("jets", "btags")
BINNED = (*COUNTS, "met", *OBSERVABLES)


def statistics_of(
    candidate: Candidate, sample: EventsWithTruth, bins: Mapping[str, Sequence[float]]
) -> dict[str, CellStatistic]:
    """Return what is asked of one method, by quantity; `bins` are edges by what is binned."""
    right = right_answers(candidate.answers.assignment, sample.assignment)
    both, selected = right["assignment_accuracy"], right["selection_accuracy"]
    matched = everywhere(sample.matched)
    statistics: dict[str, CellStatistic] = {
        **{name: Shares(among, matched, 1) for name, among in right.items()},
        "efficiency": Shares(candidate.answers.solved, np.zeros_like(matched), 1),
    }
    for name, edges in bins.items():
        number = matched_in_bins(name, sample, edges)
        statistics[f"accuracy_by_{name}"] = Shares(both, number, len(edges) - 1)
        statistics[f"selection_by_{name}"] = Shares(selected, number, len(edges) - 1)
    for observable in observables_of(candidate):
        statistics |= _of_observable(observable, candidate, sample)
    if has_probabilities(candidate, sample):
        scores = candidate.answers.scores
        number = np.where(sample.matched, bin_of(scores, SCORE_EDGES), NOWHERE)
        count = len(SCORE_EDGES) - 1
        statistics["accuracy_by_score"] = Shares(both, number, count)
        statistics["calibration_error"] = CalibrationError(both, scores, number, count)
    return statistics


def _of_observable(
    observable: Observable, candidate: Candidate, sample: EventsWithTruth
) -> dict[str, CellStatistic]:
    name, weight, count = observable.name, sample.events.weight, len(observable.bins) - 1
    residuals = observable.residuals(candidate.values[name], sample.values[name])
    every = np.ones_like(sample.matched)
    among = every if observable.of == "neutrinos" else sample.matched
    number = np.where(among, bin_of(sample.values[name], observable.bins), NOWHERE)
    asked: dict[str, CellStatistic] = {
        name: BiasAndResolution(residuals, everywhere(among), 1, weight),
        f"{name}_in_bins": BiasAndResolution(residuals, number, count, weight),
    }
    if name == "mtt":
        asked["mtt_all"] = BiasAndResolution(residuals, everywhere(every), 1, weight)
    return asked


def metrics_of(estimates: Mapping[str, Replicated]) -> dict[str, Estimate]:
    """Return the metrics of one method; those that do not exist are left out."""
    named: dict[str, Estimate] = {}
    for name, found in estimates.items():
        if name in (*SHARES, "calibration_error"):
            named[name] = found.estimate()
        elif name in OBSERVABLES or name == "mtt_all":
            named |= {f"{name}_bias": found.estimate(), f"{name}_resolution": found.estimate(1)}
    return {name: each for name, each in named.items() if np.all(np.isfinite(each))}


def observables_of(candidate: Candidate) -> list[Observable]:
    """Return those that a method has: of neutrinos only with neutrinos of its own."""
    return [
        observable
        for observable in OBSERVABLES.values()
        if candidate.values and (candidate.has_own_neutrinos or observable.of == "tops")
    ]


def right_answers(
    chosen: NDArray[np.integer], true: NDArray[np.integer]
) -> dict[str, NDArray[np.bool_]]:
    """Return (n,) whether an event counts as right in each accuracy, for jets (n, 2) of b and bbar.

    A true jet is negative where there is none: such events are never right.
    """
    matched, agree = np.all(true >= 0, axis=1), chosen == true
    both, swapped = np.all(agree, axis=1), np.all(chosen[:, ::-1] == true, axis=1)
    return {
        "assignment_accuracy": both & matched,
        "either_accuracy": np.any(agree, axis=1) & matched,
        "selection_accuracy": (both | swapped) & matched,
    }


def both_right(candidate: Candidate, sample: EventsWithTruth) -> NDArray[np.bool_]:
    """Return (n,) True where both b jets of a matched event are right."""
    return right_answers(candidate.answers.assignment, sample.assignment)["assignment_accuracy"]


def has_probabilities(candidate: Candidate, sample: EventsWithTruth) -> bool:
    """Tell whether a method is no classic one and its scores could be probabilities."""
    scores = candidate.answers.scores[candidate.answers.solved & sample.matched]
    could_be = len(scores) > 0 and bool(np.all((scores >= 0) & (scores <= 1)))
    return could_be and candidate.description is None


def matched_in_bins(name: str, sample: EventsWithTruth, edges: Sequence[float]) -> Cells:
    """Return (n,) the bin of each matched event in jets, btags, met or a true observable."""
    number = bin_of(sample.values[name], edges, last_is_open=name in COUNTS)
    return np.where(sample.matched, number, np.int16(NOWHERE))


def contest(
    events: Events,
    candidate: Reconstructor,
    champion: Reconstructor | None,
    promotion: ReconstructionPromotionConfig,
    evaluation: EvaluationConfig,
    seed: int,
) -> Contest:
    """Compare two methods of reconstruction in one metric, event by event.

    The events are simulated, and neither method has been trained on them; without a champion only
    the candidate's metric is found. The gain is tested against the least one of `promotion`; both
    share the replicas of the bootstrap. Bins that have no event are a UsageError.
    """
    sample = sample_of(events, evaluation.btag_min)
    cells = [(everywhere(sample.matched), 1)]
    for name, edges in promotion.no_regression_in.items():
        cells.append((matched_in_bins(name, sample, edges), len(edges) - 1))
    measured = []
    methods = [candidate] if champion is None else [candidate, champion]
    for contender in candidates_of(events, methods, "model"):
        statistics = {
            str(place): _in_bins(promotion.metric, contender, sample, number, count)
            for place, (number, count) in enumerate(cells)
        }
        found = bootstrap(statistics, events.weight, evaluation.replicas, seed)
        # Of biases and resolutions, which come in this order, the resolutions.
        parts = [
            each.part(slice(-count, None))
            for each, (_, count) in zip(found.values(), cells, strict=True)
        ]
        measured.append(Replicated.joined(parts))
    return decide(len(events), measured, promotion, seed, METRICS[promotion.metric].better)


def _in_bins(
    metric: str, candidate: Candidate, sample: EventsWithTruth, number: Cells, count: int
) -> CellStatistic:
    if metric == "mtt_resolution":
        mtt = OBSERVABLES["mtt"]
        residuals = mtt.residuals(candidate.values["mtt"], sample.values["mtt"])
        return BiasAndResolution(residuals, number, count, sample.events.weight)
    right = right_answers(candidate.answers.assignment, sample.assignment)[metric]
    return Shares(right, number, count)
