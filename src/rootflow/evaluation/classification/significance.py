"""Expected significance: of every cut on the score and the best one, and of a fit in bins of it.

The model of the fit is that of HistFactory (CERN-OPEN-2012-016), with pyhf: L. Heinrich,
M. Feickert, G. Stark, K. Cranmer, JOSS 6 (2021) 2823.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyhf
from numpy.typing import ArrayLike, NDArray

from rootflow.config import ClassificationEvaluationConfig
from rootflow.errors import RootflowError
from rootflow.evaluation.bootstrap import FloatArray, Replicated, Statistic
from rootflow.evaluation.classification.labelled import (
    EFFECTIVE_EVENTS_MIN,
    Labelled,
    SumsBelow,
    SumsInBins,
    spectrum,
)
from rootflow.evaluation.classification.results import BestCut, CutScan, FitSignificance, ScoreFit
from rootflow.evaluation.results import Estimate, Histogram, Spectrum, plain

# The steps of the scan that is drawn: each loses half a per cent more of the simulated signal than
# the one before. The best cut is looked for among all scores.
THRESHOLDS = 200
# Parameters of the fit.
STRENGTH = "signal_strength"
BACKGROUND = "background_normalisation"
LUMINOSITY = "lumi"
STATISTICS = "simulated_statistics"


def asimov(signal: ArrayLike, background: ArrayLike, variance: ArrayLike = 0.0) -> FloatArray:
    """Return the median significance of a discovery; `variance` is of the expected background.

    sqrt(2 ((s + b) ln[(s + b)(b + v) / (b^2 + (s + b) v)] - b^2/v ln[1 + v s / (b (b + v))]))
    with v the variance of b: G. Cowan, "Discovery sensitivity for a counting experiment with
    background uncertainty", 2012, eq. 20; the background is measured in a control region
    with as large an uncertainty. It is rewritten so that v may be zero, which gives
    sqrt(2 ((s + b) ln(1 + s/b) - s)): G. Cowan, K. Cranmer, E. Gross, O. Vitells, Eur. Phys. J. C
    71 (2011) 1554, arXiv:1007.1727, eq. 97. NaN where the background is not positive; zero where
    the signal is not.
    """
    s, b, v = np.broadcast_arrays(
        *(np.asarray(value, np.float64) for value in (signal, background, variance))
    )
    s = np.maximum(s, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        first = (s + b) * np.log1p(s * b / (b**2 + (s + b) * v))
        argument = v * s / (b * (b + v))
        shrinkage = np.where(argument > 0, np.log1p(argument) / argument, 1.0)
        found = np.sqrt(2 * np.maximum(first - b * s / (b + v) * shrinkage, 0))
        return np.where(b > 0, found, np.nan)


def s_over_sqrt_b(signal: ArrayLike, background: ArrayLike) -> FloatArray:
    """Return the limit of `asimov` for a small signal; NaN where there is no background."""
    b = np.asarray(background, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b > 0, np.asarray(signal, np.float64) / np.sqrt(b), np.nan)


class Kept(NamedTuple):
    """Sums (..., k) of weights and squared weights at or above each of k thresholds."""

    signal: FloatArray
    background: FloatArray
    signal_variance: FloatArray
    background_variance: FloatArray


class Significances:
    """Significances of the n events with a score (n,) at or above each of k rising thresholds.

    The first is not above any score. Simulated statistics add to the background's uncertainty.
    """

    def __init__(
        self,
        scores: FloatArray,
        labelled: Labelled,
        thresholds: FloatArray,
        background_uncertainty: float,
    ) -> None:
        limits = np.append(thresholds, np.inf)
        classes = (labelled.signal, labelled.background)
        self._below = [SumsBelow(scores, among, limits) for among in classes]
        self._weight = labelled.weight
        self._uncertainty = background_uncertainty

    def kept(self, weights: FloatArray) -> Kept:
        """Return (replicas, k) sums."""
        # A replica that draws an event r times has r w as its weight, and r w^2 as its square.
        sums = [below(weights, *t) for t in ((), (self._weight,)) for below in self._below]
        return Kept(*(below[:, -1:] - below[:, :-1] for below in sums))

    def background_variance(self, kept: Kept) -> FloatArray:
        """Return the square of the uncertainty of the expected background."""
        return (self._uncertainty * kept.background) ** 2 + kept.background_variance

    def with_uncertainty(self, kept: Kept) -> FloatArray:
        """Return the significance with the background's uncertainty."""
        return asimov(kept.signal, kept.background, self.background_variance(kept))

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 3 k): with uncertainty, without, and s/sqrt(b)."""
        kept = self.kept(weights)
        s, b = kept.signal, kept.background
        found = [self.with_uncertainty(kept), asimov(s, b), s_over_sqrt_b(s, b)]
        return np.concatenate(found, axis=1)


class CutQuestion:
    """A scan of cuts at 0, the best one and quantiles of the simulated signal, by bootstrap.

    The best is that of all scores. Only thresholds count at which, and below which, 25 effective
    events of background are left: beyond one with fewer, a background of which each event stands
    for many has run out of simulation, and the others alone may be 25 again.
    """

    def __init__(
        self, scores: FloatArray, labelled: Labelled, background_uncertainty: float
    ) -> None:
        every = np.unique([0.0, *scores[labelled.signal | labelled.background]])
        sample = labelled.weight[np.newaxis]
        self._cuts = Significances(scores, labelled, every, background_uncertainty)
        kept = self._cuts.kept(sample)
        with np.errstate(divide="ignore", invalid="ignore"):
            enough = kept.background**2 / kept.background_variance >= EFFECTIVE_EVENTS_MIN
        left = enough & (kept.background > 0) & (kept.signal > 0)
        self._allowed = np.logical_and.accumulate(left[0])
        self._in_sample = self._cuts.with_uncertainty(kept)[0]
        self._best = float(every[np.argmax(np.where(self._allowed, self._in_sample, -1))])
        shares = np.arange(1, THRESHOLDS) / THRESHOLDS
        quantiles = np.quantile(scores[labelled.signal], shares, method="inverted_cdf")
        self._thresholds = np.unique([0.0, self._best, *quantiles])
        self._counting = int(np.sum(self._thresholds <= every[self._allowed][-1]))
        self._scan = Significances(scores, labelled, self._thresholds, background_uncertainty)
        self._kept = Kept(*(sums[0] for sums in self._scan.kept(sample)))
        self.statistics: dict[str, Statistic] = {
            "significances": self._scan,
            "optimism": self.optimism,
        }

    def optimism(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 1) by how much each flatters itself; NaN where it has no cut.

        As the cut is chosen and evaluated on the same events, its significance is too high by what
        fluctuations helped: on average by the significance at a replica's own best threshold less
        that of the sample there (B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993,
        section 17.6).
        """
        found = self._cuts.with_uncertainty(self._cuts.kept(weights))
        found = np.where(self._allowed & np.isfinite(found), found, -1)
        chosen = np.argmax(found, axis=1)
        own = found[np.arange(len(found)), chosen]
        return np.where(own < 0, np.nan, own - self._in_sample[chosen])[:, np.newaxis]

    def answer(self, found: Mapping[str, Replicated]) -> tuple[CutScan, BestCut]:
        """Return the scan and the best cut, which is one of its thresholds."""
        kept, thresholds, counting = self._kept, self._thresholds, self._counting
        ending = np.full(len(thresholds) - counting, np.nan)
        # With uncertainty, without, and s/sqrt(b), at those thresholds that count.
        values = [
            np.append(each[:counting], ending)
            for each in np.split(found["significances"].values, 3)
        ]
        errors = [
            np.append(np.nanstd(each[:, :counting], axis=0, ddof=1), ending)
            for each in np.split(found["significances"].replicas, 3, axis=1)
        ]
        scan = CutScan(
            thresholds=tuple(thresholds.tolist()),
            signal=tuple(kept.signal.tolist()),
            background=tuple(kept.background.tolist()),
            signal_efficiency=tuple((kept.signal / kept.signal[0]).tolist()),
            background_efficiency=tuple((kept.background / kept.background[0]).tolist()),
            significance=plain(values[0]),
            significance_errors=plain(errors[0]),
            s_over_sqrt_b=plain(values[2]),
        )
        best = int(np.flatnonzero(thresholds == self._best)[0])
        significances = [
            Estimate(float(value[best]), float(error[best]))
            for value, error in zip(values, errors, strict=True)
        ]
        signal, background, *variances = (float(sums[best]) for sums in kept)
        signal_error, background_error = (float(np.sqrt(variance)) for variance in variances)
        return scan, BestCut(
            threshold=float(thresholds[best]),
            signal=Estimate(signal, signal_error),
            background=Estimate(background, background_error),
            signal_efficiency=scan.signal_efficiency[best],
            background_efficiency=scan.background_efficiency[best],
            background_effective_events=background**2 / variances[1],
            background_uncertainty=float(np.sqrt(self._scan.background_variance(kept)[best])),
            significance=significances[0],
            significance_without_uncertainty=significances[1],
            s_over_sqrt_b=significances[2],
            optimism=float(np.nanmean(found["optimism"].replicas)),
        )


class Systematics(NamedTuple):
    """Relative uncertainties of the normalisation of all backgrounds (log-normal) and luminosity.

    With `simulated_statistics` each bin has a parameter for those of its background (R. Barlow,
    C. Beeston, Comput. Phys. Commun. 77 (1993) 219, in the form of J. Conway, arXiv:1103.0354).
    The signal does not share it: the background's uncertainty would be too small where there is
    much signal.
    """

    background: float
    luminosity: float
    simulated_statistics: bool


NONE = Systematics(0.0, 0.0, simulated_statistics=False)


class FitQuestion:
    """A fit in bins of the score (n,), and by bootstrap the error of its significance.

    That of bins with known signal and background is sqrt(sum over bins of
    2 ((s + b) ln(1 + s/b) - s)): arXiv:1007.1727, eq. 97.
    """

    def __init__(
        self, scores: FloatArray, simulation: Labelled, config: ClassificationEvaluationConfig
    ) -> None:
        self._edges = fit_edges(scores, simulation, config.score_bins)
        self._signal = SumsInBins(scores, simulation.signal, self._edges)
        self._background = SumsInBins(scores, simulation.background, self._edges)
        self._systematics = Systematics(
            config.background_uncertainty, config.luminosity_uncertainty, simulated_statistics=True
        )

    def __call__(self, weights: FloatArray) -> FloatArray:
        """Return (replicas, 1); NaN where a bin has no background."""
        s, b = self._signal(weights), self._background(weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = np.where(b > 0, 2 * ((s + b) * np.log1p(s / b) - s), np.nan)
        return np.asarray(np.sqrt(np.maximum(np.sum(squares, axis=1, keepdims=True), 0)))

    def answer(self, found: Replicated, scores: FloatArray, labelled: Labelled) -> ScoreFit:
        """Return the fits of all events that count, data too."""
        binned = spectrum(scores, labelled, self._edges.tolist())
        signals = [each.name for each in labelled.samples if labelled.kind(each) == "signal"]
        return ScoreFit(
            scores=binned,
            statistics_only=significance(binned, signals, NONE, found.estimate().error),
            with_systematics=significance(binned, signals, self._systematics),
        )


def fit_edges(scores: FloatArray, labelled: Labelled, bins: int) -> FloatArray:
    """Return edges from 0 to 1 of at most so many bins, each with enough background.

    Bins hold the same simulated signal; neighbours are merged, from the highest score down,
    until each has 25 effective events of background and no process a negative sum. Each
    background counts with the square of one average event at least: simulation may have run out.
    Where that leaves one bin, as signal far from background does, they start from bins of the same
    simulated background.
    """
    edges = _merged(scores, labelled, labelled.signal, bins)
    return edges if len(edges) > 2 else _merged(scores, labelled, labelled.background, bins)


def _merged(
    scores: FloatArray, labelled: Labelled, same: NDArray[np.bool_], bins: int
) -> FloatArray:
    """Return the edges that start from bins with the same number of some of the events."""
    shares = np.arange(1, bins) / bins
    inner = np.unique(np.quantile(scores[same], shares, method="inverted_cdf"))
    limits = np.array([0.0, *inner[(inner > 0) & (inner < 1)], 1.0])
    sample = labelled.weight[np.newaxis]
    processes = np.array(
        [SumsInBins(scores, among, limits)(sample)[0] for among in labelled.simulated.values()]
    )
    sums = SumsInBins(scores, labelled.background, limits)(sample)[0]
    of_samples = labelled.simulated.values()
    backgrounds = [among for among in of_samples if np.any(among & labelled.background)]
    squares = np.array(
        [SumsInBins(scores, among, limits)(sample, labelled.weight)[0] for among in backgrounds]
    )
    of_one = np.array([np.mean(labelled.weight[among] ** 2) for among in backgrounds])
    places = [len(limits) - 1]
    for low in range(len(limits) - 2, -1, -1):
        between = slice(low, places[-1])
        total = np.sum(sums[between])
        variance = np.sum(np.maximum(np.sum(squares[:, between], axis=1), of_one))
        enough = total > 0 and total**2 >= EFFECTIVE_EVENTS_MIN * variance
        if enough and np.all(np.sum(processes[:, between], axis=1) >= 0):
            places.append(low)
    # What is left at low scores joins the last bin, and that its neighbour while a sum is negative.
    while len(places) > 2 and np.any(np.sum(processes[:, : places[-2]], axis=1) < 0):
        places.pop(-2)
    return limits[[0, *reversed(places[:-1] or places)]]


def significance(
    scores: Spectrum,
    signals: Sequence[str],
    systematics: Systematics,
    expected_error: float | None = None,
) -> FitSignificance:
    """Return the discovery significance that is expected, and that of data if there is any.

    sqrt(q0) of the profile likelihood ratio for no signal, arXiv:1007.1727 eq. 12; the
    expected one on the Asimov data set with signal strength one. No histogram of a process may be
    negative, each bin has background; `signals` are names of processes.
    """
    model = _model(scores, signals, systematics)
    expectation = np.asarray(model.expected_data(model.config.suggested_init()))
    expected, _ = _discovery(model, expectation)
    observed, strength = None, None
    if scores.data is not None:
        counts = np.array(scores.data.counts, np.float64)
        observed, strength = _discovery(model, np.append(counts, model.config.auxdata))
    return FitSignificance(expected, expected_error, observed, strength)


def _model(scores: Spectrum, signals: Sequence[str], systematics: Systematics) -> pyhf.Model:
    samples = [
        {
            "name": name,
            "data": list(histogram.weights),
            "modifiers": _modifiers(histogram, systematics, is_signal=name in signals),
        }
        for name, histogram in scores.processes.items()
    ]
    signal = np.sum([scores.processes[name].weights for name in signals], axis=0)
    observed = scores.data.counts if scores.data is not None else ()
    # Twice the strength at which signal alone is all data, and ten more.
    largest = float(10 + 2 * sum(observed) / np.sum(signal))
    parameters: list[Mapping[str, Any]] = [
        {"name": STRENGTH, "inits": [1.0], "bounds": [[0.0, largest]]}
    ]
    if systematics.luminosity:
        sigma = systematics.luminosity
        parameters.append(
            {
                "name": LUMINOSITY,
                "auxdata": [1.0],
                "sigmas": [sigma],
                "inits": [1.0],
                "bounds": [[max(1 - 5 * sigma, 1e-3), 1 + 5 * sigma]],
            }
        )
    return pyhf.Model(
        {"channels": [{"name": "scores", "samples": samples}], "parameters": parameters},
        poi_name=STRENGTH,
        validate=False,  # It is made here, and the validator's schemas are slow to read.
    )


def _modifiers(
    histogram: Histogram, systematics: Systematics, *, is_signal: bool
) -> list[dict[str, Any]]:
    factor, errors = 1 + systematics.background, np.sqrt(histogram.squared_weights)
    strength = [(True, STRENGTH, "normfactor", None)]
    background = [
        (systematics.background, BACKGROUND, "normsys", {"hi": factor, "lo": 1 / factor}),
        (systematics.simulated_statistics, STATISTICS, "staterror", errors.tolist()),
    ]
    luminosity = (systematics.luminosity, LUMINOSITY, "lumi", None)
    return [
        {"name": name, "type": kind, "data": effect}
        for counts, name, kind, effect in [luminosity, *(strength if is_signal else background)]
        if counts
    ]


def _discovery(model: pyhf.Model, data: FloatArray) -> tuple[float, float]:
    """Return the significance and the fitted signal strength."""
    config = model.config
    suggested = config.suggested_init(), config.suggested_bounds(), config.suggested_fixed()
    try:
        q0, (_, free) = pyhf.infer.test_statistics.q0(
            0.0, data, model, *suggested, return_fitted_pars=True
        )
    except pyhf.exceptions.FailedMinimization as error:
        raise RootflowError(
            f"the fit in {len(data) - len(config.auxdata)} bins of the score does not converge: "
            f"{error}"
        ) from None
    return float(np.sqrt(max(float(q0), 0.0))), float(free[config.poi_index])
