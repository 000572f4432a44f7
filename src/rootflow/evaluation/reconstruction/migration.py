"""Migration matrices as `hist` objects with variances, ready for an unfolding tool."""

import json
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import hist
import numpy as np
import uhi.io.json

from rootflow.evaluation.bootstrap import FloatArray
from rootflow.evaluation.reconstruction.observables import OBSERVABLES, Observable
from rootflow.evaluation.reconstruction.results import Migration
from rootflow.evaluation.reconstruction.sample import Candidate, EventsWithTruth
from rootflow.evaluation.results import plain, varied_weights
from rootflow.files import whole_file
from rootflow.formats import write_histograms

NOMINAL = "nominal"
Weighted = hist.Hist[Any]


class Unfolding(NamedTuple):
    """What unfolding an observable needs; bins are those of the truth and of the reconstruction.

    `migration` (truth, reconstructed) has sums of weights of solved events, with flow; `response`
    the probability of an event generated in a bin to be reconstructed in a bin. `efficiency` is the
    share of each true bin reconstructed in any bin, among selected events: those that the selection
    lost are to be added by the analysis. `fiducial` is the share of each reconstructed bin
    generated in any bin, by which data is multiplied before it is unfolded.
    """

    migration: Weighted
    truth: Weighted
    reconstructed: Weighted
    response: Weighted
    efficiency: Weighted
    fiducial: Weighted


def unfolding_of(
    observable: Observable, candidate: Candidate, sample: EventsWithTruth, weight: FloatArray
) -> Unfolding:
    """Return the matrix of an observable with one weight (n,), nominal or varied."""
    true = sample.values[observable.name].astype(np.float64)
    values = candidate.values[observable.name].astype(np.float64)
    among = candidate.solved & np.isfinite(values)
    axes = [
        hist.axis.Variable(observable.bins, name=name, label=f"{name} {observable.axis}")
        for name in ("truth", "reconstructed")
    ]
    migration = hist.Hist(*axes, storage=hist.storage.Weight())
    migration.fill(true[among], values[among], weight=weight[among])
    truth = hist.Hist(axes[0], storage=hist.storage.Weight())
    truth.fill(true, weight=weight)
    reconstructed = migration.project("reconstructed")
    inside, of_truth, of_reconstructed = (
        np.stack([each.values(), each.variances()]) for each in (migration, truth, reconstructed)
    )
    return Unfolding(
        migration=migration,
        truth=truth,
        reconstructed=reconstructed,
        response=_shares(axes, inside, of_truth[..., np.newaxis]),
        efficiency=_shares(axes[:1], inside.sum(axis=2), of_truth),
        fiducial=_shares(axes[1:], inside.sum(axis=1), of_reconstructed),
    )


def _shares(axes: Sequence[hist.axis.Variable], part: FloatArray, whole: FloatArray) -> Weighted:
    """Return p = part / whole, given as sums of weights and their variances.

    The variance is ((1 - 2 p) V_part + p^2 V_whole) / whole^2: that of a share of weighted
    events, binomial where all weights are one.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = part[0] / whole[0]
        variance = ((1 - 2 * share) * part[1] + share**2 * whole[1]) / whole[0] ** 2
    share = np.nan_to_num(share, posinf=0, neginf=0)
    variance = np.nan_to_num(np.maximum(variance, 0), posinf=0)
    sums = np.stack([share, variance], axis=-1)
    return hist.Hist(*axes, storage=hist.storage.Weight(), data=sums)


def migration_of(
    observable: Observable, candidate: Candidate, sample: EventsWithTruth
) -> Migration:
    """Return the migration of an observable with its quality, as plain data."""
    found = unfolding_of(observable, candidate, sample, sample.events.weight)
    sums = np.asarray(found.migration.values(flow=True))[1:-1]
    inside = sums[:, 1:-1]
    rows, columns = sums.sum(axis=1), found.reconstructed.values()
    response = found.response.values()
    full = bool(np.all(inside.sum(axis=1) > 0) and np.all(inside.sum(axis=0) > 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        condition = float(np.linalg.cond(response)) if full else np.nan
        return Migration(
            edges=observable.bins,
            shares=tuple(plain(row) for row in sums / rows[:, np.newaxis]),
            purity=plain(np.diagonal(inside) / columns),
            stability=plain(np.diagonal(inside) / rows),
            efficiency=plain(inside.sum(axis=1) / found.truth.values()),
            condition_number=condition if np.isfinite(condition) else None,
        )


def unfoldings(
    names: Sequence[str], candidates: Sequence[Candidate], sample: EventsWithTruth
) -> dict[str, Weighted]:
    """Return what `Unfolding` has as METHOD/OBSERVABLE/WEIGHT/NAME, nominal and of variations."""
    found = {}
    weights = {NOMINAL: sample.events.weight, **varied_weights(sample.events)}
    solved = [candidate for candidate in candidates if candidate.values]
    for candidate, name, (variation, weight) in product(solved, names, weights.items()):
        made = unfolding_of(OBSERVABLES[name], candidate, sample, weight)
        for part, histogram in made._asdict().items():
            found[f"{candidate.name}/{name}/{variation}/{part}"] = histogram
    return found


def write_unfoldings(histograms: Mapping[str, Weighted], directory: Path) -> None:
    """Write unfolding.json, by the Unified Histogram Interface, and unfolding.root."""
    with whole_file(directory / "unfolding.json") as partial:
        partial.write_text(json.dumps(dict(histograms), default=uhi.io.json.default))
    with whole_file(directory / "unfolding.root") as partial:
        write_histograms(partial, histograms)
