"""Weighted distributions of residuals and scores, as plain data."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.metrics import bins, mtt_residuals, neutrino_residuals, right
from rootflow.evaluation.plain import plain
from rootflow.evaluation.results import Histogram, Migration
from rootflow.evaluation.sample import Candidate, Sample

# GeV; the momenta along the beam spread about twice as far.
RESIDUAL_EDGES = {
    "px": tuple(np.linspace(-150, 150, 61).tolist()),
    "py": tuple(np.linspace(-150, 150, 61).tolist()),
    "pz": tuple(np.linspace(-300, 300, 61).tolist()),
}
MTT_RESIDUAL_EDGES = tuple(np.linspace(-0.8, 1.2, 51).tolist())
SCORE_EDGES = tuple(np.linspace(0, 1, 26).tolist())


def neutrino_histograms(candidate: Candidate, sample: Sample) -> dict[str, Histogram]:
    """Return the residuals of a method's own neutrinos, by `neutrino_px` and the like."""
    return {
        name: histogram(residuals, sample, candidate.answers.solved, RESIDUAL_EDGES[name[-2:]])
        for name, residuals in neutrino_residuals(candidate, sample).items()
    }


def mtt_histogram(candidate: Candidate, sample: Sample) -> Histogram:
    """Return the relative residuals of m(ttbar) in matched events."""
    residuals = mtt_residuals(candidate, sample)
    return histogram(residuals, sample, np.isfinite(residuals) & sample.matched, MTT_RESIDUAL_EDGES)


def mtt_migration(candidate: Candidate, sample: Sample, edges: Sequence[float]) -> Migration:
    """Return how matched events of each bin of true m(ttbar) spread over the reconstructed."""
    among = np.isfinite(candidate.mtt) & sample.matched
    true_bin = bins(sample.mtt[among], edges) * sample.events.weight[among, np.newaxis]
    sums = true_bin.T @ bins(candidate.mtt[among], (-np.inf, *edges, np.inf))
    totals = np.sum(true_bin, axis=0)
    shares = np.full_like(sums, np.nan)
    np.divide(sums, totals[:, np.newaxis], out=shares, where=totals[:, np.newaxis] > 0)
    return Migration(tuple(edges), tuple(plain(row) for row in shares))


def score_histograms(candidate: Candidate, sample: Sample) -> tuple[Histogram, Histogram]:
    """Return the scores of matched events with both b jets right, and of the others."""
    both = right(candidate, sample)
    among = candidate.answers.solved & sample.matched
    scores = candidate.answers.scores.astype(np.float64)
    return (
        histogram(scores, sample, among & both, SCORE_EDGES),
        histogram(scores, sample, among & ~both, SCORE_EDGES),
    )


def histogram(
    values: NDArray[np.float64], sample: Sample, among: NDArray[np.bool_], edges: Sequence[float]
) -> Histogram:
    """Return the weighted histogram of the values of the events `among`."""
    weight = sample.events.weight[among]
    sums, _ = np.histogram(values[among], bins=edges, weights=weight)
    squares, _ = np.histogram(values[among], bins=edges, weights=weight**2)
    return Histogram(
        tuple(edges), tuple(sums.tolist()), tuple(squares.tolist()), float(np.sum(weight))
    )
