"""Discovery significance of a fit in bins of the score, with pyhf.

The model is that of HistFactory (CERN-OPEN-2012-016): L. Heinrich, M. Feickert, G. Stark,
K. Cranmer, JOSS 6 (2021) 2823.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyhf

from rootflow.config import ClassificationEvaluationConfig
from rootflow.errors import RootflowError
from rootflow.evaluation.bootstrap import FloatArray, Replicated
from rootflow.evaluation.classification.labelled import (
    EFFECTIVE_EVENTS_MIN,
    Labelled,
    SumsInBins,
    spectrum,
)
from rootflow.evaluation.classification.results import FitSignificance, ScoreFit
from rootflow.evaluation.results import Histogram, Spectrum

STRENGTH = "signal_strength"
BACKGROUND = "background_normalisation"
LUMINOSITY = "lumi"
STATISTICS = "simulated_statistics"


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
    until each has 25 effective events of background and no process a negative sum.
    """
    shares = np.arange(1, bins) / bins
    inner = np.unique(np.quantile(scores[labelled.signal], shares, method="inverted_cdf"))
    limits = np.array([0.0, *inner[(inner > 0) & (inner < 1)], 1.0])
    sample = labelled.weight[np.newaxis]
    processes = np.array(
        [SumsInBins(scores, among, limits)(sample)[0] for among in labelled.simulated.values()]
    )
    background = SumsInBins(scores, labelled.background, limits)
    sums = background(sample)[0]
    squares = background(sample, labelled.weight)[0]
    places = [len(limits) - 1]
    for low in range(len(limits) - 2, -1, -1):
        between = slice(low, places[-1])
        total, variance = np.sum(sums[between]), np.sum(squares[between])
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
    asimov = np.asarray(model.expected_data(model.config.suggested_init()))
    expected, _ = _discovery(model, asimov)
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
