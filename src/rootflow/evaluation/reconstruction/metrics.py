"""Which statistics are asked of each method, and where their answers go."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.estimate import Estimate
from rootflow.evaluation.bootstrap import NOWHERE, CellStatistic, FloatArray, Replicated
from rootflow.evaluation.cell_statistics import (
    BiasAndResolution,
    CalibrationError,
    Shares,
    bin_of,
    everywhere,
)
from rootflow.evaluation.paired import Metric
from rootflow.evaluation.reconstruction.observables import OBSERVABLES, Observable
from rootflow.evaluation.reconstruction.sample import Candidate, Sample

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


def statistics_of(
    candidate: Candidate, sample: Sample, bins: Mapping[str, Sequence[float]]
) -> dict[str, CellStatistic]:
    """Return what is asked of one method, by quantity.

    Parameters
    ----------
    candidate
        The method.
    sample
        The events.
    bins
        Edges by what is binned.
    """
    statistics: dict[str, CellStatistic] = dict(_shares(candidate, sample))
    both, selected = right(candidate, sample), right_two(candidate, sample)
    for name, edges in bins.items():
        number = np.where(sample.matched, binned_by(name, sample, edges), NOWHERE)
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


def _shares(candidate: Candidate, sample: Sample) -> dict[str, CellStatistic]:
    agree = (candidate.answers.assignment == sample.assignment) & sample.matched[:, np.newaxis]
    matched, all_events = everywhere(sample.matched), everywhere(np.ones_like(sample.matched))
    return {
        "assignment_accuracy": Shares(np.all(agree, axis=1), matched, 1),
        "either_accuracy": Shares(np.any(agree, axis=1), matched, 1),
        "selection_accuracy": Shares(right_two(candidate, sample), matched, 1),
        "efficiency": Shares(candidate.answers.solved, all_events, 1),
    }


def _of_observable(
    observable: Observable, candidate: Candidate, sample: Sample
) -> dict[str, CellStatistic]:
    name, weight = observable.name, sample.events.weight
    residuals = residuals_of(observable, candidate, sample)
    existing = np.isfinite(residuals)
    among = existing if observable.of == "neutrinos" else existing & sample.matched
    number = np.where(among, bin_of(sample.values[name], observable.bins), NOWHERE)
    asked = {
        name: BiasAndResolution(residuals, everywhere(among), 1, weight),
        f"{name}_in_bins": BiasAndResolution(residuals, number, len(observable.bins) - 1, weight),
    }
    if name == "mtt":
        asked["mtt_all"] = BiasAndResolution(residuals, everywhere(existing), 1, weight)
    return dict(asked)


def metrics_of(estimates: Mapping[str, Replicated]) -> dict[str, Estimate]:
    """Return the metrics of one method; those that do not exist are left out."""
    named: dict[str, tuple[float, float]] = {}
    for name, found in estimates.items():
        if name in (*SHARES, "calibration_error"):
            named[name] = (found.values[0], found.errors[0])
        elif name in OBSERVABLES or name == "mtt_all":
            for place, quantity in enumerate(("bias", "resolution")):
                named[f"{name}_{quantity}"] = (found.values[place], found.errors[place])
    return {
        name: Estimate(float(value), float(error))
        for name, (value, error) in named.items()
        if np.isfinite(value) and np.isfinite(error)
    }


def observables_of(candidate: Candidate) -> list[Observable]:
    """Return those that a method has: of neutrinos only with neutrinos of its own."""
    own = candidate.neutrinos_of == candidate.name
    return [
        observable
        for observable in OBSERVABLES.values()
        if candidate.values and (own or observable.of == "tops")
    ]


def residuals_of(observable: Observable, candidate: Candidate, sample: Sample) -> FloatArray:
    """Return (n,) residuals of an observable, NaN where there is none."""
    name = observable.name
    return observable.residuals(candidate.values[name], sample.values[name])


def right(candidate: Candidate, sample: Sample) -> NDArray[np.bool_]:
    """Return (n,) True where both b jets of a matched event are right."""
    agree = np.all(candidate.answers.assignment == sample.assignment, axis=1)
    return np.asarray(agree & sample.matched)


def right_two(candidate: Candidate, sample: Sample) -> NDArray[np.bool_]:
    """Return (n,) True where the right two jets of a matched event are chosen, in any order."""
    swapped = np.all(candidate.answers.assignment[:, ::-1] == sample.assignment, axis=1)
    return np.asarray(right(candidate, sample) | (swapped & sample.matched))


def has_probabilities(candidate: Candidate, sample: Sample) -> bool:
    """Tell whether a method is no classic one and its scores could be probabilities."""
    scores = candidate.answers.scores[candidate.answers.solved & sample.matched]
    could_be = len(scores) > 0 and bool(np.all((scores >= 0) & (scores <= 1)))
    return could_be and candidate.description is None


def binned_by(name: str, sample: Sample, edges: Sequence[float]) -> NDArray[np.int16]:
    """Return (n,) the bin of each event in jets, btags, met or a true observable."""
    values = sample.counts[name] if name in sample.counts else sample.values[name]
    return bin_of(values, edges, last_is_open=name in COUNTS)
