"""Weighted distributions as plain data."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.reconstruction.metrics import both_right, residuals_of
from rootflow.evaluation.reconstruction.observables import OBSERVABLES, Observable
from rootflow.evaluation.reconstruction.results import Confusion
from rootflow.evaluation.reconstruction.sample import Candidate, Sample
from rootflow.evaluation.results import Histogram, Rows, plain
from rootflow.evaluation.spectra import histogram

SCORE_EDGES = tuple(np.linspace(0, 1, 26).tolist())
BINS_OF_DISTRIBUTION, BINS_OF_RESIDUALS = 25, 50


def truth_distributions(sample: Sample) -> dict[str, Histogram]:
    """Return the true observables of all events."""
    everything = np.ones(len(sample.events), bool)
    return {
        name: _histogram(sample.values[name], sample, everything, distribution_edges(observable))
        for name, observable in OBSERVABLES.items()
    }


def distribution_of(observable: Observable, candidate: Candidate, sample: Sample) -> Histogram:
    """Return an observable of all solved events as a method reconstructs it."""
    edges = distribution_edges(observable)
    return _histogram(candidate.values[observable.name], sample, candidate.solved, edges)


def residual_histogram(observable: Observable, candidate: Candidate, sample: Sample) -> Histogram:
    """Return the residuals of solved events; of matched ones, where it is of the top quarks."""
    residuals = residuals_of(observable, candidate, sample)
    among = np.isfinite(residuals)
    if observable.of == "tops":
        among &= sample.matched
    edges = np.linspace(-observable.reach, observable.reach, BINS_OF_RESIDUALS + 1)
    return _histogram(residuals, sample, among, tuple(edges.tolist()))


def distribution_edges(observable: Observable) -> tuple[float, ...]:
    """Return the edges of the figures of an observable."""
    low, high = observable.bins[0], observable.bins[-1]
    return tuple(np.linspace(low, high, BINS_OF_DISTRIBUTION + 1).tolist())


def score_histograms(candidate: Candidate, sample: Sample) -> tuple[Histogram, Histogram]:
    """Return the scores of matched events with both b jets right, and of the others."""
    both = both_right(candidate, sample)
    among = candidate.answers.solved & sample.matched
    scores = candidate.answers.scores
    return (
        _histogram(scores, sample, among & both, SCORE_EDGES),
        _histogram(scores, sample, among & ~both, SCORE_EDGES),
    )


def confusion(candidate: Candidate, sample: Sample) -> Confusion:
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


def _histogram(
    values: NDArray[np.floating],
    sample: Sample,
    among: NDArray[np.bool_],
    edges: Sequence[float],
) -> Histogram:
    return histogram(values.astype(np.float64), sample.events.weight, edges, among)
