"""Weighted distributions as plain data."""

import numpy as np

from rootflow.evaluation.reconstruction.metrics import both_right, residuals_of
from rootflow.evaluation.reconstruction.observables import OBSERVABLES, Observable
from rootflow.evaluation.reconstruction.results import Confusion
from rootflow.evaluation.reconstruction.sample import Candidate, EventsWithTruth
from rootflow.evaluation.results import Histogram, Rows, plain
from rootflow.evaluation.spectra import histogram

SCORE_EDGES = tuple(np.linspace(0, 1, 26).tolist())
BINS_OF_DISTRIBUTION, BINS_OF_RESIDUALS = 25, 50


def truth_distributions(sample: EventsWithTruth) -> dict[str, Histogram]:
    """Return the true observables of all events."""
    weight, everything = sample.events.weight, np.ones(len(sample.events), bool)
    return {
        name: histogram(sample.values[name], weight, distribution_edges(observable), everything)
        for name, observable in OBSERVABLES.items()
    }


def distribution_of(
    observable: Observable, candidate: Candidate, sample: EventsWithTruth
) -> Histogram:
    """Return an observable of all solved events as a method reconstructs it."""
    edges = distribution_edges(observable)
    values = candidate.values[observable.name]
    return histogram(values, sample.events.weight, edges, candidate.solved)


def residual_histogram(
    observable: Observable, candidate: Candidate, sample: EventsWithTruth
) -> Histogram:
    """Return the residuals of solved events; of matched ones, where it is of the top quarks."""
    residuals = residuals_of(observable, candidate, sample)
    among = np.isfinite(residuals)
    if observable.of == "tops":
        among &= sample.matched
    edges = np.linspace(-observable.reach, observable.reach, BINS_OF_RESIDUALS + 1)
    return histogram(residuals, sample.events.weight, edges.tolist(), among)


def distribution_edges(observable: Observable) -> tuple[float, ...]:
    """Return the edges of the figures of an observable."""
    low, high = observable.bins[0], observable.bins[-1]
    return tuple(np.linspace(low, high, BINS_OF_DISTRIBUTION + 1).tolist())


def score_histograms(candidate: Candidate, sample: EventsWithTruth) -> tuple[Histogram, Histogram]:
    """Return the scores of matched events with both b jets right, and of the others."""
    both = both_right(candidate, sample)
    among = candidate.answers.solved & sample.matched
    scores, weight = candidate.answers.scores, sample.events.weight
    right = histogram(scores, weight, SCORE_EDGES, among & both)
    return right, histogram(scores, weight, SCORE_EDGES, among & ~both)


def confusion(candidate: Candidate, sample: EventsWithTruth) -> Confusion:
    """Return the slots chosen for b and bbar of matched events, by the true slot."""
    slots = sample.events.jet_mask.shape[1]
    weight = sample.events.weight[sample.matched]

    def rows(leg: int) -> Rows:
        true = sample.assignment[sample.matched, leg]
        chosen = candidate.answers.assignment[sample.matched, leg] % (slots + 1)
        sums = np.zeros((slots, slots + 1))
        np.add.at(sums, (true, chosen), weight)
        totals = np.sum(sums, axis=1, keepdims=True)
        shares = np.full_like(sums, np.nan)
        np.divide(sums, totals, out=shares, where=totals > 0)
        return tuple(plain(row) for row in shares)

    return Confusion(rows(0), rows(1))
