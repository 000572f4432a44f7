"""Which statistics are asked of each method, and where their answers go."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import BiasAndResolution, Estimates, FloatArray, Means, Statistic
from rootflow.evaluation.results import Estimate
from rootflow.evaluation.sample import Candidate, Sample

# Events with more jets than the last edge are counted in the last bin.
JET_EDGES = (1.5, 2.5, 3.5, 4.5, 5.5, 6.5)

DEFINITIONS = {
    "assignment_accuracy": "share of matched events in which the jets of b and bbar are both right",
    "either_accuracy": "share of matched events in which at least one of the two is right",
    "selection_accuracy": "share of matched events in which the right two jets are chosen, "
    "in either order",
    "efficiency": "share of all events for which the method has an answer",
    "neutrino_px_bias": "median of the reconstructed less the true px of the neutrino, in GeV, "
    "over solved events; so for py, pz and the antineutrino",
    "neutrino_px_resolution": "half the width of the central 68.27 % interval of the same",
    "mtt_bias": "median of (m(ttbar) reconstructed - true) / true over solved matched events",
    "mtt_resolution": "half the width of the central 68.27 % interval of the same",
    "mtt_all_bias": "mtt_bias over all solved events, matched or not",
    "mtt_all_resolution": "mtt_resolution over all solved events, matched or not",
}

SHARES = ("assignment_accuracy", "either_accuracy", "selection_accuracy", "efficiency")
BINNINGS = ("jets", "top_pt", "mtt")
SCORE_EDGES = tuple(np.linspace(0.0, 1.0, 11).tolist())


def statistics_of(
    candidate: Candidate, sample: Sample, edges: Mapping[str, Sequence[float]]
) -> dict[str, Statistic]:
    """Return what is asked of one method, by quantity.

    Parameters
    ----------
    candidate
        The method.
    sample
        The events.
    edges
        Bin edges by the names in `BINNINGS`.
    """
    both = right(candidate, sample)
    statistics: dict[str, Statistic] = {"shares": _shares(candidate, sample)}
    for name in BINNINGS:
        among = bins(getattr(sample, name), edges[name], last_is_open=name == "jets")
        statistics[f"accuracy_by_{name}"] = _by_bin(both, among & sample.matched[:, np.newaxis])
    for name, residuals in neutrino_residuals(candidate, sample).items():
        statistics[name] = BiasAndResolution(residuals, candidate.answers.solved)
    if candidate.neutrinos_of is not None:
        residuals = mtt_residuals(candidate, sample)
        solved = np.isfinite(residuals)
        statistics["mtt"] = BiasAndResolution(residuals, solved & sample.matched)
        statistics["mtt_all"] = BiasAndResolution(residuals, solved)
        for number, among in enumerate(bins(sample.mtt, edges["mtt"]).T):
            statistics[f"mtt_in_bin_{number}"] = BiasAndResolution(
                residuals, solved & sample.matched & among
            )
    if has_probabilities(candidate, sample):
        among = bins(candidate.answers.scores, SCORE_EDGES)
        statistics["accuracy_by_score"] = _by_bin(both, among & sample.matched[:, np.newaxis])
    return statistics


def metrics_of(estimates: Mapping[str, Estimates]) -> dict[str, Estimate]:
    """Return the metrics of one method; those that do not exist are left out."""
    named = dict(zip(SHARES, zip(*estimates["shares"], strict=True), strict=True))
    for name, both in estimates.items():
        if name.startswith(("neutrino_", "antineutrino_")) or name in ("mtt", "mtt_all"):
            named[f"{name}_bias"], named[f"{name}_resolution"] = zip(*both, strict=True)
    return {
        name: Estimate(float(value), float(error))
        for name, (value, error) in named.items()
        if np.isfinite(value) and np.isfinite(error)
    }


def right(candidate: Candidate, sample: Sample) -> NDArray[np.bool_]:
    """Return (n,) True where both b jets of a matched event are right."""
    agree = np.all(candidate.answers.assignment == sample.assignment, axis=1)
    return np.asarray(agree & sample.matched)


def has_probabilities(candidate: Candidate, sample: Sample) -> bool:
    """Tell whether a method is no classic one and its scores could be probabilities."""
    scores = candidate.answers.scores[candidate.answers.solved & sample.matched]
    could_be = len(scores) > 0 and bool(np.all((scores >= 0) & (scores <= 1)))
    return could_be and candidate.description is None


def neutrino_residuals(candidate: Candidate, sample: Sample) -> dict[str, FloatArray]:
    """Return (n,) reconstructed less true momenta in GeV by name, of a method's own neutrinos."""
    if candidate.answers.neutrinos is None:
        return {}
    residuals = candidate.answers.neutrinos.astype(np.float64) - sample.neutrinos
    return {
        f"{particle}_{component}": residuals[:, slot, axis]
        for slot, particle in enumerate(("neutrino", "antineutrino"))
        for axis, component in enumerate(("px", "py", "pz"))
    }


def mtt_residuals(candidate: Candidate, sample: Sample) -> FloatArray:
    """Return (n,) (m(ttbar) reconstructed - true) / true, NaN where there is none."""
    return (candidate.mtt - sample.mtt) / sample.mtt


def bins(
    values: NDArray[np.generic], edges: Sequence[float], *, last_is_open: bool = False
) -> NDArray[np.bool_]:
    """Return (n, bins) True in the bin of each value, nowhere where it is outside all bins.

    Bins are [low, high), the last one [low, high], or all from low on where it is open.
    """
    last = len(edges) - 2
    number = np.where(values == edges[-1], last, np.digitize(values.astype(np.float64), edges) - 1)
    if last_is_open:
        number = np.minimum(number, last)
    return np.asarray(number[:, np.newaxis] == np.arange(last + 1))


def _shares(candidate: Candidate, sample: Sample) -> Means:
    agree = candidate.answers.assignment == sample.assignment
    swapped = candidate.answers.assignment[:, ::-1] == sample.assignment
    both = np.all(agree, axis=1)
    everywhere = np.ones_like(sample.matched)
    values = (both, np.any(agree, axis=1), both | np.all(swapped, axis=1), candidate.answers.solved)
    among = (sample.matched, sample.matched, sample.matched, everywhere)
    return Means(np.stack(values, axis=1), np.stack(among, axis=1))


def _by_bin(values: NDArray[np.bool_], among: NDArray[np.bool_]) -> Means:
    return Means(np.broadcast_to(values[:, np.newaxis], among.shape), among)
