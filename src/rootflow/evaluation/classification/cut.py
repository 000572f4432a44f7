"""The cut on the score that gives the highest expected significance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rootflow.evaluation.bootstrap import FloatArray, Replicated
from rootflow.evaluation.classification.labelled import EFFECTIVE_EVENTS_MIN, Labelled
from rootflow.evaluation.classification.results import BestCut, CutScan
from rootflow.evaluation.classification.significance import (
    asimov,
    asimov_with_uncertainty,
    s_over_sqrt_b,
)
from rootflow.evaluation.classification.sums import SumsBelow
from rootflow.evaluation.results import Estimate, plain

# The steps of the scan that is drawn: each loses half a per cent more of the simulated signal than
# the one before. The best cut is looked for among all scores.
THRESHOLDS = 200


class Kept(NamedTuple):
    """What is at or above each of k thresholds, (..., k).

    Attributes
    ----------
    signal, background
        Sums of weights.
    signal_variance, background_variance
        Sums of squared weights.
    """

    signal: FloatArray
    background: FloatArray
    signal_variance: FloatArray
    background_variance: FloatArray


class Significances:
    """Significances at every threshold.

    Parameters
    ----------
    scores
        (n,).
    labelled
        The n events.
    thresholds
        (k,), the first not above any score.
    background_uncertainty
        Relative; the simulated statistics are added to it in quadrature.
    """

    def __init__(
        self,
        scores: FloatArray,
        labelled: Labelled,
        thresholds: FloatArray,
        background_uncertainty: float,
    ) -> None:
        limits = np.append(thresholds, np.inf)
        self._below = [
            SumsBelow(scores, among, limits) for among in (labelled.signal, labelled.background)
        ]
        self._weight = labelled.weight
        self._uncertainty = background_uncertainty

    def kept(self, weights: FloatArray) -> Kept:
        """Return (replicas, k) sums."""
        signal, background = (_above(below(weights)) for below in self._below)
        # A replica that draws an event r times has r w as its weight, and r w^2 as its square.
        variances = (_above(below(weights, self._weight)) for below in self._below)
        return Kept(signal, background, *variances)

    def background_variance(self, kept: Kept) -> FloatArray:
        """Return the square of the uncertainty of the expected background."""
        return (self._uncertainty * kept.background) ** 2 + kept.background_variance

    def with_uncertainty(self, kept: Kept) -> FloatArray:
        """Return the significance with the background's uncertainty."""
        variance = self.background_variance(kept)
        return asimov_with_uncertainty(kept.signal, kept.background, variance)

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 3 k): with uncertainty, without, and s/sqrt(b)."""
        kept = self.kept(weights)
        s, b = kept.signal, kept.background
        return np.concatenate(
            [self.with_uncertainty(kept), asimov(s, b), s_over_sqrt_b(s, b)], axis=1
        )


class BestCuts:
    """The best cut among all scores, and how far a choice of it flatters itself.

    Only thresholds count at which, and below which, 25 effective events of background are left;
    no cut leaves them (`Labelled` sees to that), so there is always one. Beyond a threshold with
    fewer, a background of which each event stands for many has run out of simulation, and the
    others alone may be 25 again. The cut is chosen and evaluated on the same events, so that its
    significance is too high by what fluctuations helped. By how much on average, replicas say:
    the significance at the replica's own best threshold less that of the sample at the same
    threshold (B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, section 17.6).

    Parameters
    ----------
    scores, labelled, background_uncertainty
        As of `Significances`.

    Attributes
    ----------
    best
        The threshold with the highest significance, 0 or the score of an event.
    tightest
        The highest threshold that counts.
    """

    def __init__(
        self, scores: FloatArray, labelled: Labelled, background_uncertainty: float
    ) -> None:
        thresholds = np.unique([0.0, *scores[labelled.signal | labelled.background]])
        self._significances = Significances(scores, labelled, thresholds, background_uncertainty)
        kept = self._significances.kept(labelled.weight[np.newaxis])
        self._allowed = _allowed(kept)[0]
        self.tightest = float(thresholds[self._allowed][-1])
        self._in_sample = self._significances.with_uncertainty(kept)[0]
        self.best = float(thresholds[np.argmax(np.where(self._allowed, self._in_sample, -1))])

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 1) by how much each flatters itself; NaN where it has no cut."""
        found = self._significances.with_uncertainty(self._significances.kept(weights))
        found = np.where(self._allowed & np.isfinite(found), found, -1)
        chosen = np.argmax(found, axis=1)
        own = found[np.arange(len(found)), chosen]
        return np.where(own < 0, np.nan, own - self._in_sample[chosen])[:, np.newaxis]


def thresholds_of(scores: FloatArray, labelled: Labelled, best: float) -> FloatArray:
    """Return 0, the best cut and quantiles of the simulated signal, as scores that events have."""
    shares = np.arange(1, THRESHOLDS) / THRESHOLDS
    quantiles = np.quantile(scores[labelled.signal], shares, method="inverted_cdf")
    return np.unique([0.0, best, *quantiles])


def scan_of(
    statistic: Significances,
    cuts: BestCuts,
    weight: FloatArray,
    thresholds: FloatArray,
    found: Replicated,
    flattery: Replicated,
) -> tuple[CutScan, BestCut]:
    """Return the scan and the best cut, which is one of its thresholds.

    Parameters
    ----------
    statistic
        What gives the significances.
    cuts
        Which of all cuts is the best.
    weight
        (n,) of the sample.
    thresholds
        (k,) of the statistic.
    found, flattery
        The statistic and `cuts` in the same replicas of the sample.
    """
    sample = weight[np.newaxis]
    of_sample = statistic.kept(sample)
    allowed = thresholds <= cuts.tightest
    kept = Kept(*(sums[0] for sums in of_sample))
    exact, without, simple = np.split(found.values, 3)
    in_replicas = np.split(found.replicas, 3, axis=1)
    places = np.flatnonzero(allowed)
    best = int(np.flatnonzero(thresholds == cuts.best)[0])
    errors = [np.nanstd(found[:, places], axis=0, ddof=1) for found in in_replicas]
    at_best = int(np.flatnonzero(places == best)[0])
    scan = CutScan(
        thresholds=tuple(thresholds.tolist()),
        signal=tuple(kept.signal.tolist()),
        background=tuple(kept.background.tolist()),
        signal_efficiency=tuple((kept.signal / kept.signal[0]).tolist()),
        background_efficiency=tuple((kept.background / kept.background[0]).tolist()),
        significance=plain(np.where(allowed, exact, np.nan)),
        significance_errors=plain(_at(places, errors[0], len(thresholds))),
        s_over_sqrt_b=plain(np.where(allowed, simple, np.nan)),
    )
    return scan, BestCut(
        threshold=float(thresholds[best]),
        signal=Estimate(float(kept.signal[best]), float(np.sqrt(kept.signal_variance[best]))),
        background=Estimate(
            float(kept.background[best]), float(np.sqrt(kept.background_variance[best]))
        ),
        signal_efficiency=scan.signal_efficiency[best],
        background_efficiency=scan.background_efficiency[best],
        background_effective_events=float(
            kept.background[best] ** 2 / kept.background_variance[best]
        ),
        background_uncertainty=float(np.sqrt(statistic.background_variance(kept)[best])),
        significance=Estimate(float(exact[best]), float(errors[0][at_best])),
        significance_without_uncertainty=Estimate(float(without[best]), float(errors[1][at_best])),
        s_over_sqrt_b=Estimate(float(simple[best]), float(errors[2][at_best])),
        optimism=float(np.nanmean(flattery.replicas)),
    )


def _allowed(kept: Kept) -> NDArray[np.bool_]:
    """Return (..., k) where signal and enough background are left, as at every looser cut."""
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = kept.background**2 / kept.background_variance
    enough = effective >= EFFECTIVE_EVENTS_MIN
    found = enough & (kept.background > 0) & (kept.signal > 0)
    return np.logical_and.accumulate(found, axis=-1)


def _above(below: FloatArray) -> FloatArray:
    return below[:, -1:] - below[:, :-1]


def _at(places: NDArray[np.int64], values: FloatArray, length: int) -> FloatArray:
    spread = np.full(length, np.nan)
    spread[places] = values
    return spread
